"""Reading what a request brings: bounded, and checked against a model once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from aima.errors import TooLarge, ValidationFailed
from aima.gateway import MOST_BODY_BYTES

Model = TypeVar("Model", bound=BaseModel)
Given = TypeVar("Given")


async def read(request: Request, model: type[Model]) -> Model:
    """Read a JSON body.

    Raises:
        TooLarge: it is over the limit; what is over it is not read.
        ValidationFailed: it is no JSON, or does not fit.
    """
    return accept(model.model_validate_json, await body_of(request), what="the request")


async def body_of(request: Request) -> bytes:
    """Read a body, and of one over the limit no more than shows it.

    Raises:
        TooLarge: it is over the limit.
    """
    body = bytearray()
    stated = request.headers.get("content-length", "0")
    parts = request.stream()
    while len(body) <= MOST_BODY_BYTES and int(stated) <= MOST_BODY_BYTES:
        part = await anext(parts, b"")
        if not part:
            return bytes(body)
        body += part
    raise TooLarge(
        f"the request has more than {MOST_BODY_BYTES >> 20} MiB; give large values as files"
    )


def accept(validate: Callable[[Given], Model], given: Given, *, what: str) -> Model:
    """Check values with a model's validator.

    Raises:
        ValidationFailed: they do not fit; ``what`` is how the message calls them.
    """
    try:
        return validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ValidationFailed(f"{what}: {f'{where!r}: ' if where else ''}{message}") from error
