"""Changing only what one has seen: `ETag`, `If-Match`, `If-None-Match` (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from starlette.requests import Request

from aima.errors import Conflict

_TAG = re.compile(r'(?:W/)?"[^"]*"')


class PreconditionFailed(Conflict):
    """The thing is not, or not any more, what the caller takes it for."""

    status = 412


def etag_of(text: str | bytes) -> str:
    """Name a content; the same content has the same name."""
    data = text.encode() if isinstance(text, str) else text
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


@dataclass(frozen=True)
class Precondition:
    """What must be true of a thing before it is changed.

    Attributes:
        match: its tag must be one of these, or ``*`` any; None: anything will do.
        none_match: its tag must be none of these, or ``*``: it must not be there.
    """

    match: tuple[str, ...] | None = None
    none_match: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Request) -> Precondition:
        """Read it off a request's headers."""
        match = request.headers.get("if-match")
        none_match = request.headers.get("if-none-match")
        return cls(
            match=None if match is None else _tags(match),
            none_match=() if none_match is None else _tags(none_match),
        )

    def require(self, tag: str | None) -> None:
        """Let a change pass; ``tag`` is None where the thing is not there.

        Raises:
            PreconditionFailed: it must not pass.
        """
        if self.match is not None and (tag is None or not _among(tag, self.match)):
            raise PreconditionFailed("somebody has changed it; read it again and decide anew")
        if tag is not None and _among(tag, self.none_match):
            raise PreconditionFailed("it is there already")

    def has(self, tag: str) -> bool:
        """Tell whether the caller has this very content, so that it need not be sent."""
        return _among(tag, self.none_match)


def _tags(header: str) -> tuple[str, ...]:
    """List the tags of a header; a weak one counts as what it names."""
    if header.strip() == "*":
        return ("*",)
    return tuple(tag.removeprefix("W/") for tag in _TAG.findall(header))


def _among(tag: str, tags: tuple[str, ...]) -> bool:
    return tag in tags or "*" in tags
