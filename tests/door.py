"""The door that `aima up` serves, with nobody behind it: for tests of what it is made of."""

from pathlib import Path

from aima.catalog import discover
from aima.stack.door import Door, unattended


def door_in(folder: Path) -> Door:
    """Put a door together on a folder of its own; nothing is asked of Temporal."""
    return unattended(discover(), folder)
