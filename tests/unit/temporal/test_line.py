"""The rules of a line for slots. How runs wait in one: tests/integration/test_slots.py."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aima.temporal.line import Claim, Line, OnConflict


def claim(run: str, limit: int = 1, on_conflict: OnConflict = "queue") -> Claim:
    """Write a claim."""
    return Claim(run, limit, on_conflict)


def queued(line: Line) -> list[str]:
    """Name who waits, in order."""
    return [waiting.run for waiting in line.queue]


def test_the_first_goes_in_and_the_next_waits() -> None:
    """The limit is one unless more is said."""
    line = Line()
    assert line.ask(claim("a")) == ("granted", [])
    assert line.ask(claim("b")) == ("queued", [])
    assert (line.holders, queued(line)) == (["a"], ["b"])
    assert line.admit() is None


def test_a_place_that_is_free_goes_to_who_has_waited_longest() -> None:
    """And to nobody else, whatever it asked for."""
    line = Line(["a"], [claim("b"), claim("c")])
    line.leave("a")
    assert line.admit() == "b"
    assert line.admit() is None
    assert queued(line) == ["c"]


def test_asking_again_changes_nothing() -> None:
    """The answer may have been lost; the run must not stand in line twice."""
    line = Line(["a"], [claim("b")])
    assert line.ask(claim("a", on_conflict="cancel_running")) == ("granted", [])
    assert line.ask(claim("b", on_conflict="reject")) == ("queued", [])
    assert (line.holders, queued(line)) == (["a"], ["b"])


def test_nobody_overtakes_a_run_that_wants_to_be_alone() -> None:
    """Workflows may share a key and differ in their limit; the strict one must not starve."""
    line = Line(["a"])
    assert line.ask(claim("alone", limit=1)) == ("queued", [])
    assert line.ask(claim("b", limit=5)) == ("queued", [])
    assert line.admit() is None
    line.leave("a")
    assert line.admit() == "alone"
    assert line.admit() == "b"


def test_who_would_have_to_wait_can_be_rejected() -> None:
    """It leaves no trace."""
    line = Line(["a"])
    assert line.ask(claim("b", on_conflict="reject")) == ("rejected", [])
    assert line == Line(["a"])


def test_who_cancels_stands_first_and_names_the_holders() -> None:
    """Those who were queued before stay behind it, in their order."""
    line = Line(["a", "b"], [claim("c", 2), claim("d", 2)])
    assert line.ask(claim("new", 2, "cancel_running")) == ("queued", ["a", "b"])
    assert queued(line) == ["new", "c", "d"]


def test_who_cancels_takes_the_place_of_one_that_came_to_cancel_before() -> None:
    """The older one would be a holder but for the cleanup it waits for."""
    line = Line(["a"], [claim("older", on_conflict="cancel_running"), claim("c")])
    assert line.ask(claim("newer", on_conflict="cancel_running")) == ("queued", ["a", "older"])
    assert queued(line) == ["newer", "c"]


def test_who_cancels_nobody_needs_no_victim() -> None:
    """With a free slot there is no conflict."""
    line = Line(["a"])
    assert line.ask(claim("b", 2, "cancel_running")) == ("granted", [])


def test_leaving_a_line_one_does_not_stand_in_is_no_mistake() -> None:
    """A run that was rejected, or is told twice to go, says so all the same."""
    line = Line(["a"], [claim("b")])
    line.leave("nobody")
    assert line == Line(["a"], [claim("b")])
    line.leave("b")
    line.leave("a")
    assert line.empty


RUNS = st.sampled_from("abcdef")
ASKS = st.builds(
    Claim,
    RUNS,
    st.integers(1, 3),
    st.sampled_from(["queue", "reject", "cancel_running"]),
)


@given(st.lists(st.one_of(ASKS, RUNS)))
def test_whatever_happens_no_run_is_in_twice_and_no_place_stays_empty(
    deeds: list[Claim | str],
) -> None:
    """Runs ask (a claim) and leave (a name) in any order; free places are given at once."""
    line = Line()
    for deed in deeds:
        if isinstance(deed, Claim):
            room = line.has_room(deed.limit)
            known = line.knows(deed.run)
            answer, victims = line.ask(deed)
            assert known or (answer == "granted") == room
            assert deed.run not in victims
            assert line.knows(deed.run) == (answer != "rejected")
        else:
            line.leave(deed)
            assert not line.knows(deed)
            while (run := line.admit()) is not None:
                assert run == line.holders[-1]
        everybody = line.holders + queued(line)
        assert len(set(everybody)) == len(everybody)
        assert line.holders or not line.queue, "everybody waits for nobody"
