"""What is known of a command while the door answers it; the audit log tells of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.types import Scope

if TYPE_CHECKING:
    from _hashlib import HASH

COMMANDED = "aima.commanded"
"""Where the scope of a request has its :class:`Commanded`, if it is a command."""


@dataclass
class Commanded:
    """What is known of a command while it is answered.

    Attributes:
        action: method and address, with names for its parameters.
        subject: the unit or workflow, where there is one.
        run: the run that it started.
        body: the digest of what was read of it.
    """

    action: str
    subject: str = ""
    run: str = ""
    body: HASH = field(default_factory=hashlib.sha256)


def looked(scope: Scope) -> None:
    """Tell that what was asked for only looks: it is no command."""
    scope.pop(COMMANDED, None)


def note(scope: Scope, *, subject: str = "", run: str = "") -> None:
    """Tell what a command is about, where its address does not."""
    commanded = scope.get(COMMANDED)
    if isinstance(commanded, Commanded):
        commanded.subject = subject or commanded.subject
        commanded.run = run or commanded.run
