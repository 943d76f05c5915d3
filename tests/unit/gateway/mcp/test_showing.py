"""Pictures and sounds come with the answer that names them, as far as they are small."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any

import pytest
from httpx2 import AsyncClient, MockTransport, Request, Response

from aima.gateway.mcp.rest import Reached, Rest
from aima.gateway.mcp.showing import MOST_BYTES, MOST_SHOWN, shown


def artifact(number: int, kind: str, size: int = 3) -> dict[str, Any]:
    """Name some bytes."""
    return {"artifact": f"sha256:{number:064x}", "media_type": kind, "bytes": size}


def answers(request: Request) -> Response:
    """Give three bytes; the first file is gone."""
    gone = request.url.path.endswith("0" * 64)
    return Response(404, json={"code": "X"}) if gone else Response(200, content=b"abc")


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ({"images": [artifact(1, "image/png"), artifact(2, "image/jpeg")]}, ["image", "image"]),
        ({"deep": [{"er": artifact(1, "audio/wav")}]}, ["audio"]),
        ({"file": artifact(1, "application/pdf"), "text": "image/png"}, []),
        ({"file": artifact(0, "image/png"), "other": artifact(1, "image/png")}, ["image"]),
        ([artifact(1, "image/png", MOST_BYTES + 1), artifact(2, "audio/wav")], ["audio"]),
        ([artifact(n, "image/png") for n in range(1, 10)], ["image"] * MOST_SHOWN),
    ],
    ids=str,
)
async def test_what_can_be_seen_or_heard_comes_along(told: object, kinds: list[str]) -> None:
    """In the order in which the answer names it; what is large or gone is only named."""
    http = AsyncClient(transport=MockTransport(answers))
    found = await shown(Rest(http, lambda: Reached("http://api", {})), told)
    assert [one.type for one in found] == kinds
    assert all(base64.b64decode(one.data) == b"abc" for one in found)


def test_a_stack_loads_the_protocol_only_when_somebody_speaks_it() -> None:
    """It takes a second and 25 MB, which `aima up` would pay each time."""
    told = "import sys, aima.gateway.mcp.routes; sys.exit('mcp' in sys.modules)"
    subprocess.run([sys.executable, "-c", told], check=True, timeout=60)
