"""Addresses in a request: each is found wherever engines look for it, and what it leads to fits."""

from __future__ import annotations

from base64 import b64decode
from copy import deepcopy
from typing import Any

import pytest

from aima.errors import TooLarge, ValidationFailed
from aima.gateway.openai.remote_media import MOST, bring_in
from aima.outbound import Fetched, Outbound
from aima.settings import Outbound as Bounds
from aima.testing.engines.pixel import PIXEL

PICTURE = f"data:image/png;base64,{PIXEL}"
SOUND = "data:audio/wav;base64,UklGRgAAAABXQVZFZm10IA=="
URL = "http://pictures.test/a.png"


class Shelf(Outbound):
    """Gives what lies on it, instead of what is at an address."""

    def __init__(self, things: dict[str, bytes]) -> None:
        """Hold these things."""
        super().__init__(Bounds())
        self.things = things
        self.asked: list[str] = []

    async def get(self, url: str, *, most_bytes: int | None = None) -> Fetched:
        """Give one."""
        self.asked.append(url)
        if most_bytes is not None and len(self.things[url]) > most_bytes:
            raise TooLarge(url)
        return Fetched(url, self.things[url])


@pytest.fixture
def shelf() -> Shelf:
    """A picture, a sound and a page."""
    things = {URL: b64decode(PIXEL), "http://x.test/a.wav": b"RIFF\0\0\0\0WAVEfmt "}
    return Shelf({**things, "http://x.test/page": b"<html>inside</html>"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"image_url": {"url": URL}}, {"image_url": {"url": PICTURE}}),
        ({"image_url": {"url": URL, "x": 1}}, {"image_url": {"url": PICTURE, "x": 1}}),
        ({"image_url": URL}, {"image_url": PICTURE}),
        ({"image_url": [URL, PICTURE]}, {"image_url": [PICTURE, PICTURE]}),
        ({"image_url": {"x": {"image_url": URL}}}, {"image_url": {"x": {"image_url": PICTURE}}}),
        ({"file_url": URL}, {"file_url": PICTURE}),
        ({"image": URL}, {"image": PICTURE}),
        ({"images": [URL, PIXEL]}, {"images": [PICTURE, PIXEL]}),
        ({"image": {"url": URL}}, {"image": {"url": PICTURE}}),
        ({"input": [{"content": [{"type": "input_image", "image_url": URL}]}]},
         {"input": [{"content": [{"type": "input_image", "image_url": PICTURE}]}]}),
        ({"input_audio": {"data": "http://x.test/a.wav"}}, {"input_audio": {"data": SOUND}}),
    ],
)  # fmt: skip
async def test_an_address_becomes_what_it_leads_to(
    shelf: Shelf, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """In each form that servers of this API know."""
    body = {"messages": [deepcopy(before)]}
    await bring_in(body, shelf)
    assert body == {"messages": [after]}


@pytest.mark.parametrize(
    "body",
    [
        {"image_url": {"url": PICTURE}},
        {"image_url": {"url": "DATA:image/png;base64,AA=="}},
        {"input_audio": {"data": "//NExAAAAAAAAAAA", "format": "mp3"}},
        {"messages": [{"role": "user", "content": f"What is at {URL}?"}]},
        {"messages": [{"role": "user", "content": URL}], "user": URL},
        {"tools": [{"parameters": {"properties": {"image_url": {"type": "string"}}}}]},
        {"image": None, "image_url": 1, "audio": {"voice": "anna", "format": "wav"}},
    ],
)  # fmt: skip
async def test_what_is_no_address_stays(shelf: Shelf, body: dict[str, Any]) -> None:
    """Bytes, texts that speak of addresses, and schemas that name a field so."""
    before = deepcopy(body)
    await bring_in(body, shelf)
    assert (body, shelf.asked) == (before, [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"image_url": "file:///etc/passwd"}, "begins with http"),
        ({"image_url": "/etc/passwd"}, "begins with http"),
        ({"image_url": ""}, "begins with http"),
        ({"image_url": {"url": " data:image/png;base64,AA=="}}, "begins with http"),
        ({"image": " FILE:/etc/passwd"}, "begins with http"),
        ({"video": "ftp://x.test/v.mp4"}, "begins with http"),
        ({"tools": [{"type": "mcp", "server_url": "http://127.0.0.1/"}]}, "no engine calls other"),
        ({"image_url": [URL] * (MOST + 1)}, "names 17 addresses and may name 16"),
    ],
)
async def test_what_leads_elsewhere_is_refused(body: dict[str, Any], reason: str) -> None:
    """Files of the machine, other schemes, other servers, and too many of them."""
    with pytest.raises(ValidationFailed.__mro__[1], match=reason):
        await bring_in(body, Outbound(Bounds()))


async def test_a_page_is_no_picture(shelf: Shelf) -> None:
    """Whoever may show pictures does not thereby read what pages say."""
    with pytest.raises(ValidationFailed, match="leads to text/plain, where image belongs"):
        await bring_in({"image_url": "http://x.test/page"}, shelf)
