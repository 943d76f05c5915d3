"""Which form of a thing a client wants (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request

JSON = "application/json"


def preferred(request: Request, offered: Sequence[str]) -> str:
    """Choose one of the media types offered; the first where nothing else is wanted."""
    wanted = sorted(_wanted(request.headers.get("accept", "*/*")), key=lambda one: -one[1])
    for media_type, quality in wanted:
        for candidate in offered:
            if quality > 0 and _covers(media_type, candidate):
                return candidate
    return offered[0]


def _wanted(accept: str) -> Iterator[tuple[str, float]]:
    for one in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in one.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            yield media_type, float(quality)
        except ValueError:
            yield media_type, 0.0


def _covers(media_type: str, candidate: str) -> bool:
    kind, _, form = media_type.partition("/")
    return (form == "*" and kind in ("*", candidate.partition("/")[0])) or media_type == candidate
