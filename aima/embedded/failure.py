"""Failures as the protocol tells them: ``{"error": {message, type, code, param}}``."""

from __future__ import annotations

import errno
import tempfile

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import (
    AimaError,
    Cancelled,
    InsufficientResources,
    InternalError,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    RateLimited,
    ValidationFailed,
)

SERVER_ERROR = 500


class WrongField(ValidationFailed):
    """A field of the request holds something this engine cannot do.

    Attributes:
        param: the field, its path joined by dots.
    """

    def __init__(self, param: str, message: str, /) -> None:
        """Name the field, then what is wrong with it and the way out."""
        super().__init__(f"{param}: {message}" if param else message)
        self.param = param


def first_mistake(error: ValidationError) -> WrongField:
    """Tell the first thing that is wrong with a body."""
    first = error.errors(include_url=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    return WrongField(".".join(str(part) for part in first["loc"]), message)


def failure_body(error: AimaError) -> dict[str, object]:
    """Give the body that tells an error."""
    param = error.param or None if isinstance(error, WrongField) else None
    return {
        "error": {
            "message": error.message,
            "type": "server_error" if error.status >= SERVER_ERROR else "invalid_request_error",
            "code": error.code,
            "param": "model" if isinstance(error, ModelNotFound) else param,
        }
    }


def tell(_: Request, error: Exception) -> Response:
    """Answer with an error of AIMA's tree."""
    if not isinstance(error, AimaError):  # Starlette's type for handlers is as wide as this
        raise error
    if isinstance(error, Cancelled):
        return Response(status_code=error.status)
    retry_after = error.retry_after if isinstance(error, RateLimited) else None
    headers = {"retry-after": f"{retry_after:.0f}"} if retry_after else None
    return JSONResponse(failure_body(error), status_code=error.status, headers=headers)


def tell_http(_: Request, error: Exception) -> Response:
    """Answer where the address, the method or the form itself is wrong."""
    if not isinstance(error, HTTPException):
        raise error
    kind = NotFound if error.status_code == NotFound.status else InvalidRequest
    body = failure_body(kind(error.detail))
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


def tell_disk(request: Request, error: Exception) -> Response:
    """Answer where an upload or its samples found no space."""
    if not isinstance(error, OSError) or error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        raise error
    place = tempfile.gettempdir()
    return tell(request, InsufficientResources(f"no space left in {place}; free some, then retry"))


def tell_bug(_: Request, __: Exception) -> Response:
    """Answer where this program is wrong; Starlette logs the traceback."""
    error = InternalError("the engine made a mistake; its log has the details")
    return JSONResponse(failure_body(error), status_code=error.status)
