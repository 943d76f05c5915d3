"""Values that came from outside, checked against a model once, at every door in the same words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from aima.errors import ValidationFailed

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")
Given = TypeVar("Given")

MOST_MISTAKES = 20
"""Mistakes of one request that are told; more would only be scrolled past."""


class Mistakes(ValidationFailed):
    """The request has mistakes that are told one by one.

    Attributes:
        members: what else the problem has, such as a list of the mistakes.
    """

    def __init__(self, message: str, /, **members: object) -> None:
        """Tell what is wrong as a whole, and each mistake."""
        super().__init__(message)
        self.members = members


def accept(validate: Callable[[Given], Model], given: Given, *, what: str) -> Model:
    """Check values with a model's validator.

    Raises:
        ValidationFailed: they do not fit; ``what`` is how the message calls them.
    """
    from pydantic import ValidationError

    try:
        return validate(given)
    except ValidationError as error:
        found = [
            {
                "pointer": "".join(f"/{_escaped(part)}" for part in mistake["loc"]),
                "detail": mistake["msg"].removeprefix("Value error, "),
                "code": mistake["type"],
            }
            for mistake in error.errors(include_url=False)[:MOST_MISTAKES]
        ]
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])
        message = f"{what}: {f'{where!r}: ' if where else ''}{found[0]['detail']}"
        raise Mistakes(message, errors=found) from error


def accept_json(model: type[Model], text: bytes, *, what: str) -> Model:
    """Check JSON as its schema reads it: 5.0 is an integer, while "5" and true are none.

    Raises:
        ValidationFailed: it does not fit; ``what`` is how the message calls it.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        whole = all(_is_whole(mistake["input"]) for mistake in error.errors(include_url=False))
    return accept(partial(model.model_validate_json, strict=not whole), text, what=what)


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


def _escaped(part: int | str) -> str:
    """Write one step of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
