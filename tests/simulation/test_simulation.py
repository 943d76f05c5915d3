"""F42: runs hold what AIMA promises, whatever fails at any of their awaits.

A simulation plays the real interpreter in the SDK's own workflow against a server in memory, with
time that passes when nothing happens. What fails is made as small as it can be and printed: the
workflow, what goes wrong, and the seed; ``AIMA_FAULT_SEED=n`` plays the same cases again.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from tests.simulation import broken, invariants
from tests.simulation.case import Case, play
from tests.simulation.faults import Faults
from tests.simulation.instance import OtherCommands
from tests.simulation.workflows import calm_faults, cases

SEED = int(os.environ.get("AIMA_FAULT_SEED", "42"))
FRESH = int(os.environ.get("AIMA_FAULT_SEED", secrets.randbelow(2**32)))
FEW, MANY = 300, 5_000
PATIENCE = 900
"""Seconds for a test that fails: making a case small takes its time."""

_profile = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Keep the SDK from logging each task that fails: the simulation raises the first."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def played(case: Case, number: int) -> None:
    """Play a case and check it; where it fails, say how to play it again."""
    try:
        invariants.check(play(case))
    except BaseException:
        note(f"AIMA_FAULT_SEED={number}\n{case}")
        raise


@pytest.mark.timeout(PATIENCE)
@seed(SEED)
@settings(_profile, max_examples=FEW)
@given(cases())
def test_runs_keep_their_promises_whatever_fails(case: Case) -> None:
    """Acknowledged runs end, effects happen once, no run is in two final states."""
    played(case, SEED)


@pytest.mark.timeout(PATIENCE)
@seed(SEED)
@settings(_profile, max_examples=60)
@given(cases(calm_faults()))
def test_workers_that_come_and_go_change_no_outcome(case: Case) -> None:
    """A run whose workers die and forget it ends as it would have without."""
    ended, undisturbed = play(case), play(case.but(lost=0, evicted=0))
    invariants.check(ended)
    assert ended.how == undisturbed.how


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@seed(FRESH)
@settings(_profile, max_examples=MANY)
@given(cases())
def test_thousands_of_runs_keep_their_promises(case: Case) -> None:
    """Every night others: what no fixed seed has met."""
    played(case, FRESH)


UNDO = {"type": "sim.do", "input": {"n": 0}}
TWO = [
    {"id": "a", "type": "sim.do", "input": {"n": 1}, "compensate": UNDO},
    {"id": "b", "type": "sim.do", "input": {"n": 2}, "depends_on": ["a"], "compensate": UNDO},
]
FAILS = [*TWO, {"id": "c", "depends_on": ["b"], "raise": {"code": "OWN", "message": "no"}}]
SIDE_BY_SIDE = [{"id": name, "type": "sim.do", "input": {"n": 1}} for name in "abc"]


@pytest.mark.parametrize(
    ("definition", "steps", "faults", "found"),
    [
        (broken.UndoesTwice, FAILS, Faults(), "effects_happen_once"),
        (broken.UndoesNothing, FAILS, Faults(), "what_was_done_is_undone"),
        (broken.UndoesForwards, FAILS, Faults(), "undone_in_reverse_order"),
        (broken.HearsNoCancel, TWO, Faults(cancel=0.1), "a_cancelled_run_is_not_completed"),
        (broken.LeavesSteps, SIDE_BY_SIDE, Faults(), "nothing_is_left_in_flight"),
        (broken.Hangs, TWO, Faults(), "it_ends"),
    ],
)
def test_a_mistake_is_found(
    definition: type, steps: list[dict[str, object]], faults: Faults, found: str
) -> None:
    """The simulation can fail: each of these interpreters breaks one promise."""
    ended = play(Case({"name": "simulated", "steps": steps}, faults), definition)
    with pytest.raises(AssertionError, match=f"^{found}: "):
        invariants.check(ended)


def test_an_order_that_is_not_in_the_history_is_found() -> None:
    """The simulation can fail: a replay that starts steps in another order is refused."""
    case = Case({"name": "simulated", "steps": SIDE_BY_SIDE})
    with pytest.raises(OtherCommands):
        play(case, broken.LooksAtTheWeather)


def test_a_mistake_is_found_in_random_cases_and_made_small() -> None:
    """The random cases can fail, too; what is left of the first is three lines."""
    smallest: list[Case] = []

    @seed(1)
    @settings(_profile, max_examples=10, report_multiple_bugs=False)
    @given(cases())
    def plays(case: Case) -> None:
        try:
            invariants.check(play(case, broken.Hangs))
        except AssertionError:
            smallest.append(case)
            raise

    with pytest.raises(AssertionError, match="it_ends"):
        plays()
    assert len(smallest[-1].workflow["steps"]) == 1
    assert smallest[-1].faults == Faults()
