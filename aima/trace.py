"""Which trace a request belongs to (W3C Trace Context), so that whatever it brings about says so.

AIMA records no spans of its own. So it passes on what came as it came, as the standard asks of
those who only forward: a span that a caller recorded is the parent of those that an engine
records. Where nothing came one trace is made for all that follows; it is sampled, so that an
engine which records spans of each request goes on doing so.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

TRACEPARENT = "traceparent"
"""The name of the header, of the field in MCP's `_meta` and of the attribute of an event."""

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FIRST_VERSION = "00"
_NO_VERSION = "ff"
_current: ContextVar[str] = ContextVar(TRACEPARENT, default="")


def current() -> str:
    """Give the `traceparent` of what is done now; empty where nobody asked for it."""
    return _current.get()


@contextmanager
def traced(traceparent: str) -> Iterator[None]:
    """Do something for a trace."""
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)


def accepted(given: object) -> str:
    """Take a `traceparent` over; what cannot be read begins another trace, as the standard says."""
    return read(given) or made()


def read(given: object) -> str:
    """Give a `traceparent` as the standard's first version writes it; empty where it is none."""
    found = _FORM.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        return ""
    version, trace, parent, flags, more = found.groups()
    known = version != _NO_VERSION and (more is None or version != _FIRST_VERSION)
    if not known or not int(trace, 16) or not int(parent, 16):
        return ""
    return f"{_FIRST_VERSION}-{trace}-{parent}-{flags}"


def made() -> str:
    """Make a trace."""
    return f"{_FIRST_VERSION}-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_of(run: str) -> str:
    """Give the trace of a run that no request began, made of Temporal's own id of it."""
    digits = UUID(run).hex
    return f"{_FIRST_VERSION}-{digits}-{digits[16:]}-01"
