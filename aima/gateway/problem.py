"""Errors as the door tells them: problem details (RFC 9457) with AIMA's code."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from temporalio.service import RPCError

from aima.errors import AimaError, InternalError, InvalidRequest, NotFound, TemporalUnreachable


def problem(error: AimaError, **more: object) -> Response:
    """Give an error; ``more`` are members of its own."""
    told = {"title": type(error).__name__, "status": error.status, "code": error.code}
    return JSONResponse(
        {**told, "detail": error.message, **more},
        status_code=error.status,
        media_type="application/problem+json",
    )


def tell(_: Request, error: Exception) -> Response:
    """Answer with what went wrong."""
    answer = problem(_named(error))
    if isinstance(error, HTTPException):  # such as 405, which no error of the tree has
        answer.status_code = error.status_code
        answer.headers.update(error.headers or {})
    return answer


def _named(error: Exception) -> AimaError:
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
