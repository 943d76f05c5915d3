"""The garbage collector rests while many values are made that all stay.

Reading a file makes a hundred thousand small objects without a cycle among them. The collector
looks through them, and through all that the process holds besides, again and again, for nothing:
half of the time that a check took.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_rests() -> Iterator[None]:
    """Let no garbage be collected; where it rests already, whoever said so wakes it.

    Of two threads that do this at once, the first to end wakes it for both.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
