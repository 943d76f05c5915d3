"""Errors as clients of the protocol read them."""

from __future__ import annotations

import errno
import json

import pytest
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aima.embedded.failure import (
    WrongField,
    failure_body,
    first_mistake,
    tell,
    tell_bug,
    tell_disk,
    tell_http,
)
from aima.errors import Cancelled, ExecutionFailed, ModelNotFound, RateLimited, TooLarge

REQUEST = Request({"type": "http"})


def error_of(response: Response) -> dict[str, object]:
    """Read an answer's error."""
    error = json.loads(bytes(response.body))["error"]
    assert error.keys() == {"message", "type", "code", "param"}
    return dict(error)


def test_an_error_tells_message_type_code_and_field() -> None:
    """The four that clients of the protocol know."""
    assert failure_body(WrongField("voice", "no such voice")) == {
        "error": {
            "message": "voice: no such voice",
            "type": "invalid_request_error",
            "code": "VALIDATION_ERROR",
            "param": "voice",
        }
    }
    assert failure_body(ModelNotFound("none"))["error"] == {
        "message": "none",
        "type": "invalid_request_error",
        "code": "MODEL_NOT_FOUND",
        "param": "model",
    }


def test_the_status_is_the_errors_own() -> None:
    """And the server's faults are told from the client's."""
    response = tell(REQUEST, TooLarge("too much"))
    assert (response.status_code, error_of(response)["type"]) == (413, "invalid_request_error")
    response = tell(REQUEST, ExecutionFailed("broke"))
    assert (response.status_code, error_of(response)["type"]) == (500, "server_error")


def test_a_full_queue_says_when_to_come_back() -> None:
    """In the header that clients honour."""
    response = tell(REQUEST, RateLimited("full", retry_after=7))
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


def test_who_left_is_told_nothing() -> None:
    """Nobody would read it."""
    assert tell(REQUEST, Cancelled("gone")).body == b""


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "RESOURCE_NOT_FOUND"), (405, "INVALID_REQUEST"), (400, "INVALID_REQUEST")],
)
def test_the_frameworks_own_errors_take_the_same_form(status: int, code: str) -> None:
    """One way to read errors is enough."""
    response = tell_http(REQUEST, HTTPException(status))
    assert (response.status_code, error_of(response)["code"]) == (status, code)


def test_a_full_disk_is_no_bug() -> None:
    """Uploads go through temporary files."""
    response = tell_disk(REQUEST, OSError(errno.ENOSPC, "No space left on device"))
    assert (response.status_code, error_of(response)["code"]) == (503, "INSUFFICIENT_RESOURCES")
    with pytest.raises(OSError, match="something else"):
        tell_disk(REQUEST, OSError(errno.EIO, "something else"))


def test_a_bug_tells_nothing_of_the_inside() -> None:
    """Messages of foreign exceptions hold paths and worse."""
    response = tell_bug(REQUEST, KeyError("/root/secret"))
    assert (response.status_code, error_of(response)["code"]) == (500, "INTERNAL_ERROR")
    assert b"secret" not in response.body


@pytest.mark.parametrize(
    ("body", "param"), [("{}", "name"), ('{"name": "a", "ages": ["x"]}', "ages.0"), ("{", None)]
)
def test_the_first_mistake_is_named_by_its_place(body: str, param: str | None) -> None:
    """As deep as it is."""

    class Shape(BaseModel):
        name: str
        ages: list[int] = []

    with pytest.raises(ValidationError) as caught:
        Shape.model_validate_json(body)
    error = failure_body(first_mistake(caught.value))["error"]
    assert isinstance(error, dict)
    assert error["param"] == param
