"""What programs are told of a route, besides its address and its permission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from aima.errors import AimaError
from aima.unit import Unit

JSON = "application/json"


@dataclass(frozen=True)
class About:
    """What a route takes and gives.

    Attributes:
        summary: what it does, where its docstring is about more than this address.
        body: the model of its body in JSON; with neither this, an example nor `takes` it has none.
        query: the model of its query.
        unit: what it asks; its input is the body, or the query of a `GET`.
        example: a body, or for a `GET` an answer, that is one of many.
        answer: an answer to what is no `GET`.
        takes: other media types of its body.
        gives: media types of its answer, the usual one first; none: it has no body.
        statuses: those of an answer, where all went well.
        headers: request headers that mean something, with what they mean.
        errors: what it may fail with, besides what any route may.
        fixed: fields of the unit's input that the address says, besides those in its path.
        passes_on: it may also fail as the server behind it does.
    """

    summary: str = ""
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    unit: Unit | None = None
    example: Mapping[str, object] | None = None
    answer: Mapping[str, object] | None = None
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = (JSON,)
    statuses: tuple[int, ...] = (200,)
    headers: Mapping[str, str] | None = None
    errors: tuple[type[AimaError], ...] = ()
    fixed: tuple[str, ...] = ()
    passes_on: bool = False


IDEMPOTENT = {
    "Prefer": "`wait=10` waits up to ten seconds for the end.",
    "Idempotency-Key": "Sent again with the same key it is not done again.",
}
"""The headers of whatever starts a run."""

GUARDED = {
    "If-Match": "The `ETag` of what may be replaced; another one is left as it is.",
    "If-None-Match": "`*`: only where there is none yet.",
}
"""The headers of whatever replaces something."""
