"""Pictures, sound and films that a request names by address: the door brings them in.

An engine that fetched them itself would do so from inside, where it reaches what strangers do
not. So an address never leaves the door: what it leads to does, as bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aima.media_type import media_type_of
from aima.mistakes import Mistakes
from aima.outbound import Outbound

MOST = 16
"""Addresses of one request."""
MOST_BYTES = 64 << 20
"""Of all that they lead to."""
_DATA = "data:"
_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]{0,15}:[\\/]|\s*file:", re.IGNORECASE)
_ADDRESSES = {"image_url": "image", "audio_url": "audio", "video_url": "video", "file_url": ""}
"""Keys under which an address stands, by itself or as `url`; and what it has to lead to."""
_BYTES = {
    "audio": "audio",
    "image": "image",
    "images": "image",
    "input_audio": "audio",
    "input_image": "image",
    "input_reference": "image",
    "mask": "image",
    "ref_audio": "audio",
    "video": "video",
}
"""Keys under which bytes stand in base64, which some servers also take as an address."""
_INNER = ("url", "data")
_SERVERS = "server_url"


@dataclass(frozen=True)
class _Place:
    """An address of a request: `holder[key]`."""

    holder: Any
    key: Any
    url: str
    kind: str


async def bring_in(body: dict[str, Any], outbound: Outbound) -> None:
    """Put in place of each address what it leads to.

    Raises:
        ValidationFailed: one is no address of HTTP, or leads to something else than belongs there.
        Forbidden: one leads to an address that may not be called.
    """
    places = list(_places(body))
    if len(places) > MOST:
        raise Mistakes(f"the request names {len(places)} addresses and may name {MOST}")
    left = MOST_BYTES
    for place in places:  # one after the other, so that all of them together have a bound
        fetched = await outbound.get(place.url, most_bytes=max(left, 1))
        left -= len(fetched.body)
        found = media_type_of(fetched.body, urlsplit(fetched.url).path)
        if not found.startswith(place.kind):
            said = repr(place.url[:120])
            raise Mistakes(f"{said} leads to {found}, where {place.kind} belongs")
        place.holder[place.key] = f"{_DATA}{found};base64,{b64encode(fetched.body).decode()}"


def _places(value: object, *, but: tuple[str, ...] = ()) -> Iterator[_Place]:
    """Find the addresses below a value; the parser has bounded how deep it is."""
    if isinstance(value, list):
        for inner in value:
            yield from _places(inner)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in but:
            continue
        if key == _SERVERS and isinstance(inner, str):
            raise Mistakes(f"{_SERVERS!r}: no engine calls other servers for a request")
        if key in _ADDRESSES or key in _BYTES:
            kind = _ADDRESSES.get(key) or _BYTES.get(key, "")
            yield from _under(value, key, kind, always=key in _ADDRESSES)
        else:
            yield from _places(inner)


def _under(holder: Any, key: Any, kind: str, *, always: bool) -> Iterator[_Place]:  # noqa: ANN401
    """Find the addresses under a key that may hold some; ``always``: what is no data is one."""
    found = holder[key]
    if isinstance(found, str):
        is_data = found[: len(_DATA)].lower() == _DATA
        if not is_data and (always or _ADDRESS.match(found)):
            yield _Place(holder, key, found, kind)
    elif isinstance(found, list):
        for at in range(len(found)):
            yield from _under(found, at, kind, always=always)
    elif isinstance(found, dict):
        for name in _INNER:
            if name in found:
                yield from _under(found, name, kind, always=always and name == "url")
        yield from _places(found, but=_INNER)
