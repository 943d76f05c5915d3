"""What holds for every run, whatever went wrong: one function for each sentence of the promise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation.case import RUN, Ended
from tests.simulation.seen import Seen

Step = dict[str, Any]
Check = Callable[[Ended], None]

_UNDO = "undo:"
_MARK = re.compile(r"[\[#@]")


def it_ends(ended: Ended) -> None:
    """An acknowledged run ends, in exactly one final state: every wait has its time."""
    assert ended.how in {"completed", "failed", "canceled"}, f"it hangs: {ended.how!r}"
    finals = [s.said for s in ended.server.seen if s.kind == "closed" and s.workflow == RUN]
    assert [s for s in finals if s != "continued"] == [ended.how], finals


def a_cancelled_run_is_not_completed(ended: Ended) -> None:
    """A run that heard of a cancel in time never ends Completed."""
    if ended.last.in_time:
        assert ended.how != "completed"


def only_a_cancelled_run_is_canceled(ended: Ended) -> None:
    """A run that nobody cancelled does not say that somebody did."""
    if ended.how == "canceled":
        assert ended.last.was_told


def effects_happen_once(ended: Ended) -> None:
    """No activity is scheduled twice, in whatever histories: its path is its effect key.

    A quick unit's first attempt is made beside the workflow, the others are a task (decision 12).
    What AIMA asks of its own workers it may ask again: the answer is the same.
    """
    begun_all = [s for s in ended.server.seen if s.kind == "scheduled"]
    seen = [s for s in begun_all if s.path != "aima.acquire"]
    begun = Counter((s.workflow, s.path, s.said) for s in seen)
    twice = [key for key, count in begun.items() if count > 1]
    assert not twice, f"scheduled twice: {twice}"


def done_steps_had_their_effect(ended: Ended) -> None:
    """A unit that is counted as done ended well as often, and not less often than that."""
    succeeded = Counter(step_of(s.path) for s in _delivered(ended) if s.said == "completed")
    for step in _all_steps(ended.plan):
        plain = step["body"] == "type" and not step.keys() & {"for_each", "catch", "on_failure"}
        if not plain:
            continue
        counts = ended.state["counts"].get(step["id"], {})
        done, cancelled = counts.get("done", 0), counts.get("cancelled", 0)
        had = succeeded[step["id"]]
        least = had if "compensate" in step else had - cancelled
        assert least <= had
        assert done <= had <= done + cancelled + counts.get("failed", 0), (step["id"], counts, had)


def nothing_is_left_in_flight(ended: Ended) -> None:
    """Neither a history nor a run ends while something of it still runs."""
    left = [s for s in ended.server.seen if s.kind == "in flight" and s.said != "terminated"]
    assert not left, left


def what_was_done_is_undone(ended: Ended) -> None:
    """What steps did that do not end well is undone once, or told as not undone."""
    if "output" in ended.state.get("ended", {}):
        return
    assert not ended.state["undos"], f"never undone: {ended.state['undos']}"
    undoable = {s["id"] for s in _all_steps(ended.plan) if "compensate" in s}
    hits = {s["id"] for s in _all_steps(ended.plan) if "cache" in s}
    registered = {
        s.path
        for s in _delivered(ended)
        if s.said == "completed" and step_of(s.path) in undoable - hits and not _is_undo(s.path)
    }
    undone = {s.path.removeprefix(_UNDO) for s in _scheduled(ended) if _is_undo(s.path)}
    assert registered <= undone, f"never undone: {sorted(registered - undone)}"
    told = len(ended.state["undone"])
    assert told == len(undone), (ended.state["undone"], undone)


def undone_in_reverse_order(ended: Ended) -> None:
    """Undos run in reverse order of completion, but for those of a race or a retried pass."""
    scoped = set(_inside_scopes(ended.plan))
    completed = {s.path: s.turn for s in _delivered(ended) if s.said == "completed"}
    undone = {
        s.path.removeprefix(_UNDO): (number, s.turn)
        for number, s in enumerate(_scheduled(ended))
        if _is_undo(s.path)
    }
    late = [p for p in undone if p in completed and step_of(p) not in scoped]
    for one in late:
        for other in late:
            if completed[one] < completed[other] <= undone[one][1]:
                assert undone[other] < undone[one], f"{one} was undone before {other}"


def cleanup_ran(ended: Ended) -> None:
    """The document's ``finally`` ran, however the run ended; ``on_failure`` if it failed.

    A run that never got its slot has nothing to clean up.
    """
    slot = ended.state["sections"].get("concurrency")
    if slot is not None and not slot.get("granted"):
        return
    for step in ended.plan.get("finally") or ():
        if not step["after"]:
            assert ended.state["counts"].get(step["id"]), f"{step['id']} of `finally` never ran"
    counted = any(ended.state["counts"].get(s["id"]) for s in ended.plan.get("on_failure") or ())
    if ended.plan.get("on_failure") and "error" in ended.state.get("ended", {}):
        assert counted, "`on_failure` never ran"
    if ended.how == "completed":
        assert not counted, "`on_failure` ran though nothing failed"


def nothing_runs_by_the_counts(ended: Ended) -> None:
    """The progress that people see ends with nothing running."""
    running = {k: v["running"] for k, v in ended.state["counts"].items() if v.get("running")}
    assert not running, f"still running: {running}"


def items_keep_their_order(ended: Ended) -> None:
    """A loop gives one output for each item, each at the position of its item."""
    loops = {s["id"]: s for s in _all_steps(ended.plan) if "for_each" in s}
    for name, output in _outputs(ended.state):
        if name not in loops or "items" not in output:
            continue
        items = loops[name]["for_each"]["in"]
        assert len(output["items"]) == len(items), (name, output)
        failed = [f["index"] for f in output["failed"]]
        assert failed == sorted(failed)
        for index, slot in enumerate(output["items"]):
            if index in failed:
                assert slot.keys() == {"error"}, (name, index, slot)
            elif loops[name].get("unit") and "cache" not in loops[name] and "error" not in slot:
                assert slot["n"] == items[index], (name, output)


def the_slot_is_given_back(ended: Ended) -> None:
    """A run that asked for a slot of a concurrency key tells that it needs it no more."""
    mine = [s for s in ended.server.seen if s.workflow == RUN]
    asked = {s.path for s in mine if s.kind == "acquired"}
    released = {s.path for s in mine if s.kind == "released"}
    assert asked <= released, f"kept: {asked - released}"


def the_result_tells_what_was_undone(ended: Ended) -> None:
    """A run that does not end well says in its result what was undone."""
    if ended.how != "failed" or not ended.state["undone"]:
        return
    assert ended.details.get("undone") == ended.state["undone"]


INVARIANTS: tuple[Check, ...] = (
    it_ends,
    a_cancelled_run_is_not_completed,
    only_a_cancelled_run_is_canceled,
    effects_happen_once,
    nothing_is_left_in_flight,
    nothing_runs_by_the_counts,
    done_steps_had_their_effect,
    what_was_done_is_undone,
    undone_in_reverse_order,
    cleanup_ran,
    items_keep_their_order,
    the_slot_is_given_back,
    the_result_tells_what_was_undone,
)


def check(ended: Ended) -> None:
    """Check everything that holds for every run."""
    for invariant in INVARIANTS:
        try:
            invariant(ended)
        except AssertionError as error:
            said = (invariant.__doc__ or "").splitlines()[0]
            raise AssertionError(f"{invariant.__name__}: {said}\n{error}") from error


def step_of(path: str) -> str:
    """Name the step of an activity: its path without items, rounds and passes."""
    return _MARK.split(path.removeprefix(_UNDO).rpartition(".")[2])[0]


def _is_undo(path: str) -> bool:
    return path.startswith(_UNDO)


def _scheduled(ended: Ended) -> list[Seen]:
    return [s for s in ended.server.seen if s.kind == "scheduled" and _mine(s)]


def _delivered(ended: Ended) -> list[Seen]:
    """Give how the activities of the run ended, but for those of undos."""
    seen = [s for s in ended.server.seen if s.kind == "delivered" and _mine(s)]
    return [s for s in seen if not _is_undo(s.path)]


def _mine(seen: Seen) -> bool:
    """Tell what belongs to the run itself, or to a segment of one of its loops."""
    return seen.workflow == RUN or (seen.workflow.endswith("]") and ".." in seen.workflow)


def _all_steps(part: Any) -> Iterator[Step]:  # noqa: ANN401 - a part of a plan
    if isinstance(part, dict):
        if {"id", "body", "after"} <= part.keys():
            yield part
        for key, value in part.items():
            if key != "plan":  # a child's steps are its own
                yield from _all_steps(value)
    elif isinstance(part, list):
        for value in part:
            yield from _all_steps(value)


def _inside_scopes(plan: Any) -> Iterator[str]:  # noqa: ANN401 - a part of a plan
    """Name the steps that are undone before the run ends: in races and in retried blocks."""
    for step in _all_steps(plan):
        if step["body"] == "race" or ("retry" in step and step["body"] != "type"):
            yield from (inner["id"] for inner in _all_steps(step))


def _outputs(state: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk all that looks like an output of a step."""
    found = [state["outputs"], state.get("ended", {}).get("output")]
    while found:
        value = found.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, dict):
                    yield name, inner
                found.append(inner)
        elif isinstance(value, list):
            found += value
