"""Secrets get into a unit's input, and out of nothing that it says."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from aima.errors import ValidationFailed
from aima.temporal.secret_input import HIDDEN, Mask, Place, fill_in

NAME = "AIMA_TEST_SECRET_OF_A_STEP"
VALUE = 'k"ey\\of é'


@pytest.fixture(autouse=True)
def _secret() -> Iterator[None]:
    """Set a variable of the worker."""
    os.environ[NAME] = VALUE
    yield
    del os.environ[NAME]


ENV = {"secret": f"env:{NAME}"}


def test_a_secret_is_put_where_it_belongs() -> None:
    """Deep in lists and maps, and with literal text around it."""
    given: dict[str, Any] = {"headers": [{}, {"Authorization": "[secret]"}], "other": 1}
    mask = fill_in(given, [(["headers", 1, "Authorization"], ["Bearer ", ENV, "!"])])
    assert given == {"headers": [{}, {"Authorization": f"Bearer {VALUE}!"}], "other": 1}
    assert mask.secrets == {VALUE}


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    """As containers get theirs; the line end that every editor adds is not part of it."""
    (tmp_path / "key").write_text("first\nsecond\r\n\n", "utf-8", newline="")
    given: dict[str, Any] = {}
    fill_in(given, [(["key"], [{"secret": f"file:{tmp_path / 'key'}"}])])
    assert given == {"key": "first\nsecond"}


@pytest.mark.parametrize(
    "reference", ["env:AIMA_TEST_NOT_SET", "file:/no/such/file", "file:/", "vault:x"]
)
def test_a_reference_to_nothing_is_named(reference: str) -> None:
    """No other attempt finds it; who reads this knows what to set, and where."""
    with pytest.raises(ValidationFailed) as caught:
        fill_in({}, [(["a"], ["Bearer ", {"secret": reference}])])
    assert repr(reference) in caught.value.message
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("data", "says"), [(b"", "is empty"), (b"key\xff", "it is no text"), (b"k" * 70_000, "larger")]
)
def test_a_file_that_holds_no_secret_is_refused_unquoted(
    tmp_path: Path, data: bytes, says: str
) -> None:
    """Neither the message nor its cause may show what the file does hold."""
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ValidationFailed, match=says) as caught:
        fill_in({}, [(["a"], [{"secret": f"file:{tmp_path / 'file'}"}])])
    assert "key" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ == (says == "it is no text")


def masked() -> Mask:
    """Give the mask of the one secret."""
    place: Place = (["a"], [ENV])
    return fill_in({}, [place])


@pytest.mark.parametrize(
    "written", [VALUE, repr(VALUE), json.dumps(VALUE), json.dumps(VALUE, ensure_ascii=False)]
)
def test_a_secret_is_hidden_however_it_is_quoted(written: str) -> None:
    """Libraries put what they were given into their messages, mostly with `!r`."""
    shown = masked().text(f"401 for {written}, sorry")
    assert shown.replace('"', "").replace("'", "") == f"401 for {HIDDEN}, sorry"


def test_every_text_of_a_value_is_hidden() -> None:
    """Also a key, and inside tuples; what is no text stays what it is."""
    value = {"a": [VALUE, 1, None], VALUE: ("x", {"b": f"<{VALUE}>"})}
    assert masked().value(value) == {"a": [HIDDEN, 1, None], HIDDEN: ["x", {"b": f"<{HIDDEN}>"}]}


def test_of_secrets_inside_each_other_nothing_remains() -> None:
    """Hiding the shorter one first would leave the rest of the longer one."""
    mask = Mask(frozenset({"abcd", "abcd-efgh"}))
    assert mask.text("abcd-efgh abcd") == f"{HIDDEN} {HIDDEN}"


def test_a_very_short_secret_is_not_hidden() -> None:
    """Every message would be full of holes, and the holes would tell it."""
    os.environ[NAME] = "abc"
    assert fill_in({}, [(["a"], [ENV])]).text("abc") == "abc"


def test_a_mask_without_secrets_changes_nothing() -> None:
    """The usual case costs nothing, whatever the text."""
    value = {"a": ("x",)}
    assert Mask().value(value) is value
    assert Mask().text("***") == "***"


def test_a_failure_keeps_what_temporal_reads_of_it() -> None:
    """Code, details and whether to try again are the run's; only the secret goes."""
    error = ApplicationError(f"no {VALUE}", {"key": VALUE}, 1, type="CONFLICT", non_retryable=True)
    told = masked().failure(error)
    assert (told.message, told.type, told.non_retryable) == (f"no {HIDDEN}", "CONFLICT", True)
    assert list(told.details) == [{"key": HIDDEN}, 1]
