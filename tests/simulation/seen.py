"""What happened in a simulation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """Something that happened, in the order in which it did.

    Attributes:
        kind: ``scheduled``, ``delivered``, ``closed``, ``released`` or ``in flight``.
        workflow: the id of the workflow.
        path: of an activity.
        turn: the number of the activation; what has the same one happened at once.
        said: how an activity or a workflow ended.
    """

    kind: str
    workflow: str
    path: str = ""
    turn: int = 0
    said: str = ""
