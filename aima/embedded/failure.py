"""Failures as the protocol tells them: ``{"error": {message, type, code, param}}``."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.embedded.turns import Busy
from aima.errors import AimaError, Cancelled, InternalError, NotFound, ValidationFailed

log = logging.getLogger(__name__)
CLIENT_ERROR = 400
SERVER_ERROR = 500


def failure_body(error: AimaError, *, param: str | None = None) -> dict[str, object]:
    """Give the body that tells an error."""
    kind = "server_error" if error.status >= SERVER_ERROR else "invalid_request_error"
    return {"error": {"message": error.message, "type": kind, "code": error.code, "param": param}}


def tell(_: Request, error: Exception) -> Response:
    """Answer with an error of AIMA's tree."""
    assert isinstance(error, AimaError)  # noqa: S101 - Starlette calls this for that class only
    if isinstance(error, Cancelled):
        return Response(status_code=error.status)
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, Busy) else None
    return JSONResponse(failure_body(error), status_code=error.status, headers=headers)


def tell_http(_: Request, error: Exception) -> Response:
    """Answer an address or method that does not exist."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls this for that class only
    cause = NotFound if error.status_code == NotFound.status else ValidationFailed
    return JSONResponse(
        failure_body(cause(error.detail)), status_code=error.status_code, headers=error.headers
    )


def tell_bug(_: Request, __: Exception) -> Response:
    """Answer where this program is wrong; Starlette logs the traceback."""
    error = InternalError("the engine made a mistake; its log has the details")
    return JSONResponse(failure_body(error), status_code=error.status)
