"""Values that came from outside, checked against a model once, at every door in the same words."""

from __future__ import annotations

from collections.abc import Callable
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


def _escaped(part: int | str) -> str:
    """Write one step of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
