"""Errors as the door tells them: problem details (RFC 9457) with AIMA's code.

Below `/v1` they have the form that clients of OpenAI's API read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from aima.dsl.inputs import UnfitInput
from aima.errors import (
    AimaError,
    EngineNotRunning,
    InternalError,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    QuotaExceeded,
    RateLimited,
    TemporalUnreachable,
    TooManyRuns,
    Unauthorized,
    ValidationFailed,
)
from aima.mistakes import Mistakes

OPENAI = "/v1/"
"""Where the addresses of OpenAI's API begin."""

MESSAGES = "/v1/messages"
"""Where those of Anthropic's begin."""

SERVER_ERROR = 500
_RETRY_AFTER_SECONDS = 1.0
"""When to come back, where nobody knows better."""

_OPENAI_CODES = {
    ModelNotFound.code: "model_not_found",
    QuotaExceeded.code: "insufficient_quota",
    RateLimited.code: "rate_limit_exceeded",
    TooManyRuns.code: "rate_limit_exceeded",
    Unauthorized.code: "invalid_api_key",
}


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def tell(
    request: Request,
    error: Exception,
    *,
    status: int | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """Answer with what went wrong.

    Args:
        request: what was asked.
        error: what went wrong.
        status: where it is not the error's own.
        more: what else the problem says.
    """
    named = _named(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    status = status or (error.status_code if isinstance(error, HTTPException) else named.status)
    if isinstance(named, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    if isinstance(named, RateLimited | EngineNotRunning | TemporalUnreachable):
        seconds = getattr(named, "retry_after", None) or _RETRY_AFTER_SECONDS
        headers["retry-after"] = str(math.ceil(seconds))
    if request.scope["path"].startswith(MESSAGES):
        return JSONResponse(anthropic_error(named), status, headers)
    if request.scope["path"].startswith(OPENAI):
        return JSONResponse(openai_error(named), status, headers)
    where = {"instance": request.scope["path"]}
    where["request_id"] = request.scope.get("aima.request_id", "")
    told = {**problem(named), "status": status, **where, **(more or {})}
    return JSONResponse(told, status, headers, "application/problem+json")


def problem(error: AimaError) -> dict[str, object]:
    """Write an error as a problem (RFC 9457), without where it happened."""
    members = _members(error)
    return {
        "type": f"urn:aima:error:{error.code}",
        "title": ValidationFailed.__name__ if members else type(error).__name__,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "retryable": error.retryable,
        **members,
    }


def _members(error: AimaError) -> Mapping[str, object]:
    """List the mistakes of a request, each with its place in the body."""
    match error:
        case Mistakes(members=members):
            return members
        case UnfitInput(misfits=misfits):
            return {
                "errors": [{**asdict(one), "pointer": f"/input{one.pointer}"} for one in misfits]
            }
        case _:
            return {}


def openai_error(error: AimaError) -> dict[str, object]:
    """Write an error as OpenAI's API does."""
    kind = "server_error" if error.status >= SERVER_ERROR else "invalid_request_error"
    code = _OPENAI_CODES.get(error.code, error.code.lower())
    param = "model" if isinstance(error, ModelNotFound) else _first_place(error)
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


def anthropic_error(error: AimaError) -> dict[str, object]:
    """Write an error as Anthropic's API does."""
    kind = _ANTHROPIC_TYPES.get(error.status)
    if kind is None:
        kind = "api_error" if error.status >= SERVER_ERROR else "invalid_request_error"
    return {"type": "error", "error": {"type": kind, "message": error.message}}


def _first_place(error: AimaError) -> str | None:
    """Name the field that is wrong, where there is one."""
    found = error.members.get("errors") if isinstance(error, Mistakes) else None
    pointer = str(found[0]["pointer"]) if isinstance(found, list) and found else ""
    return pointer.removeprefix("/").replace("/", ".") or None


def _named(error: Exception) -> AimaError:
    from temporalio.service import RPCError  # heavy, and not every process that tells has it

    match error:
        case AimaError():
            named = error
        case HTTPException(status_code=NotFound.status):
            named = NotFound("the door has no such address")
        case HTTPException():
            named = InvalidRequest(f"{error.detail} at this address")
        case ClientDisconnect():
            named = InvalidRequest("the request broke off")
        case RPCError():
            said = f"Temporal refuses: {error.message}; `aima doctor` may help"
            named = TemporalUnreachable(said)
        case _:  # nobody foresaw it; Starlette logs its traceback
            named = InternalError("AIMA made a mistake; logs/stack.log in its data folder has it")
    return named
