"""What Schemathesis does before each request, where a request of its own making would do harm.

Streams last as long as their reader listens, so each is asked for a moment only. What holds or
ends the stack is asked by somebody who may not: the whole way to the refusal is tried, and no more.
"""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any

schemathesis: Any = import_module("schemathesis")  # lies in an environment of its own

_STREAMS = re.compile(r"^/api/v2/(events|streams|stream)$|/(events|stream|watch)$")
_STACK = "/stack/"


@schemathesis.hook  # type: ignore[untyped-decorator] # theirs
def before_call(context: object, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ANN401 - theirs
    """Bound a stream, and let a stranger ask for the end."""
    del context
    if case.method == "GET" and _STREAMS.search(case.path):
        case.query = {**(case.query or {}), "seconds": "0.2"}
    if case.path.startswith(_STACK):
        kwargs["auth"] = _as_viewer  # comes after the headers of the command


def _as_viewer(request: Any) -> Any:  # noqa: ANN401 - theirs
    request.headers["Authorization"] = f"Bearer {os.environ['AIMA_FUZZ_VIEWER']}"
    return request
