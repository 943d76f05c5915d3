"""A trace is passed on as it came, and made where none came."""

from __future__ import annotations

import pytest

from aima.trace import accepted, current, made, read, trace_of, traced

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def test_what_came_is_passed_on_as_it_came() -> None:
    """Also that nobody records it: that is for its sender to say."""
    assert accepted(GIVEN) == GIVEN


@pytest.mark.parametrize(
    "given",
    [
        None,
        7,
        "",
        "x",
        GIVEN.upper(),
        GIVEN + "-more",
        GIVEN + "\n",
        GIVEN.replace("00-0af", "ff-0af"),
        f"00-{'0' * 32}-b7ad6b7169203331-00",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-00",
    ],
)
def test_what_cannot_be_read_begins_another_trace(given: object) -> None:
    """The standard asks for it: a request is not refused for that."""
    assert read(given) == ""
    assert read(accepted(given))


def test_a_later_version_is_read_as_the_first() -> None:
    """It may have more behind, and what is known of it stays where it is."""
    assert read("cc" + GIVEN[2:] + "-what-comes") == GIVEN


def test_what_is_made_is_another_each_time_and_sampled() -> None:
    """An engine that records each request goes on doing so."""
    assert made() != made()
    assert read(made()).endswith("-01")


def test_a_run_has_one_trace_whoever_asks() -> None:
    """Made of Temporal's id, since a run may not throw dice."""
    run = "019a1e4c-8f2d-7c11-9d35-0242ac120002"
    assert trace_of(run) == read(trace_of(run))
    assert trace_of(run).startswith("00-019a1e4c8f2d7c119d350242ac120002-")


def test_a_trace_ends_with_what_is_done_for_it() -> None:
    """One request's must not be told of the next."""
    with traced(GIVEN):
        assert current() == GIVEN
    assert current() == ""
