"""What the simulation found once stays mended: the smallest case of each."""

from collections.abc import Mapping

from tests.simulation.case import Case, Ended, play
from tests.simulation.faults import Faults
from tests.simulation.invariants import check

A = {"id": "a", "type": "sim.do", "input": {"n": 1}}


def ended(*steps: Mapping[str, object], faults: Faults | None = None, **more: object) -> Ended:
    """Play steps, and check what holds for every run."""
    workflow = {"name": "simulated", "steps": list(steps), **more}
    others = {"other": {"name": "other", "steps": [A]}}
    came = play(Case(workflow, faults or Faults(), others=others))
    check(came)
    return came


def test_a_step_that_returns_is_done() -> None:
    """It was shown as running for ever."""
    came = ended({"id": "r", "return": {"n": 2}})
    assert came.output == {"n": 2}
    assert came.state["counts"]["r"]["done"] == 1


def test_a_cancel_while_a_slot_is_given_back_is_heard() -> None:
    """The run was completed, though somebody had cancelled it before it ended."""
    slot = {"key": "k", "limit": 1}
    for number in (145, 251, 272, 324, 361, 362):
        late = Faults(seed=number, slow=50, cancel=0.1 + number / 80)
        assert ended(A, faults=late, concurrency=slot).how == "canceled"


def test_a_slot_that_could_not_be_asked_for_is_told() -> None:
    """The run ended with Temporal's own error, and as failed though somebody had cancelled it."""
    slot = {"key": "k", "limit": 1}
    cancelled = ended(A, faults=Faults(seed=33, slow=50, cancel=1.06), concurrency=slot)
    assert cancelled.how == "canceled"


def test_a_child_whose_id_is_taken_fails_its_step_alone() -> None:
    """The run ended at once with Temporal's own error: nothing was undone, nothing tidied up."""
    child = {"id": "c", "workflow": "other", "depends_on": ["a"]}
    undo = {"compensate": {"type": "sim.do", "input": {"n": 0}}}
    came = ended({**A, **undo}, child, faults=Faults(child=100))
    assert came.details["code"] == "CONFLICT"
    assert came.details["step"] == "c"
    assert came.details["undone"] == [{"step": "a", "unit": "sim.do"}]


def test_what_ran_in_an_earlier_history_is_not_counted_as_running() -> None:
    """A step that two histories ran was shown as running for ever."""
    wait = {"id": "w", "wait": "10m"}
    count = {"id": "r", "repeat": {"until": "${steps.c.n >= 5}", "max": 9}}
    inner = {"id": "c", "type": "sim.do", "input": {"n": "${has(steps.c) ? steps.c.n + 1 : 1}"}}
    came = ended(wait, {**count, "steps": [inner]}, faults=Faults(events=12))
    assert came.server.histories > 1
    assert came.how == "completed"


def test_what_was_done_in_the_moment_of_a_cancel_is_undone() -> None:
    """The SDK forgets a result that comes together with a cancel, and so the undo was lost."""
    undo = {"compensate": {"type": "sim.do", "input": {"n": 0}}}
    wait = {"id": "w", "wait": "1h"}
    undone = [
        len(ended({**A, **undo}, wait, faults=Faults(seed=n, slow=60, cancel=0.5)).state["undone"])
        for n in range(40)
    ]
    assert sum(undone) >= 10
