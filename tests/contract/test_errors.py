"""The error tree is what its drawing says, and its codes are the catalogue's."""

from __future__ import annotations

import inspect
import re

import aima.errors
from aima.errors import AimaError, ExecutionFailed, error_class, error_classes

CATALOGUE = {
    "INVALID_REQUEST": 400,
    "VALIDATION_ERROR": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "UNIT_NOT_FOUND": 404,
    "MODEL_NOT_FOUND": 404,
    "RESOURCE_NOT_FOUND": 404,
    "CONFLICT": 409,
    "TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "QUOTA_EXCEEDED": 403,
    "CANCELLED": 499,
    "RATE_LIMITED": 429,
    "EXECUTION_FAILED": 500,
    "INTERNAL_ERROR": 500,
    "INSUFFICIENT_RESOURCES": 503,
    "ENGINE_NOT_RUNNING": 503,
    "TIMEOUT": 504,
}
"""The codes that users of the earlier system know, with their HTTP status: never renamed."""

DRAWN = re.compile(r"^(?P<branch>[│ ]*[├└]── )(?P<name>\w+) +(?P<code>[A-Z_]+) +(?P<status>\d+)")

TREE = [error for error in error_classes() if error.__module__ == "aima.errors"]


def test_the_drawing_shows_the_tree() -> None:
    """The drawing is what people read; one that lies is worse than none."""
    drawn = {}
    above = {0: "AimaError"}
    for line in inspect.cleandoc(aima.errors.__doc__ or "").splitlines():
        if found := DRAWN.match(line.strip(" ") if line.startswith("    ") else line):
            depth = len(found["branch"]) // 4
            above[depth] = found["name"]
            retryable = line.endswith("retryable")
            drawn[found["name"]] = (
                above[depth - 1],
                found["code"],
                int(found["status"]),
                retryable,
            )
    told = {
        error.__name__: (error.__base__.__name__, error.code, error.status, error.retryable)
        for error in TREE
        if error.__base__
    }
    assert drawn == told


def test_no_two_conditions_share_a_code() -> None:
    """A program that reacts to a code must know what it means."""
    own = [error.code for error in TREE if "code" in vars(error)]
    assert sorted(own) == sorted(set(own))


def test_every_code_of_the_catalogue_exists_with_its_status() -> None:
    """Clients of the earlier system compare these texts."""
    told = {error.code: error.status for error in TREE}
    missing = {code: status for code, status in CATALOGUE.items() if told.get(code) != status}
    assert not missing, missing


def test_a_code_leads_back_to_its_error() -> None:
    """An error crosses Temporal and HTTP as its code and is the same error again behind it."""
    lost = [error for error in TREE if error_class(error.code).code != error.code]
    assert not lost
    assert error_class("SOMETHING_OF_OTHERS") is ExecutionFailed


def test_every_error_says_in_a_sentence_what_is_true() -> None:
    """The sentence is the meaning in the reference."""
    assert not [error for error in (AimaError, *TREE) if not (error.__doc__ or "").strip()]
