"""Random workflows that the checker takes: every body and modifier, nested in each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from aima.dsl.json import Json
from tests.simulation.case import Case
from tests.simulation.faults import Faults, Letter
from tests.simulation.units import Refused, Shelf, Written, compiled

Step = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
T = TypeVar("T")

MOST_STEPS = 14
HISTORIES = (0, 12, 25)
CODES = ["EXECUTION_FAILED", "TIMEOUT", "CONFLICT", "OWN"]
CHILD = "other"
_DURATIONS = ("1s", "3s", "20s", "5m")


@dataclass(frozen=True)
class Spot:
    """Where a step stands.

    Attributes:
        depth: how many more lists may stand inside it.
        item: the name of the innermost item; empty outside of loops.
        before: steps of the same list whose number can be read.
        cleanup: whether it cleans up; such steps do not end the run.
    """

    depth: int
    item: str = ""
    before: tuple[str, ...] = ()
    cleanup: bool = False

    def inside(self, **more: Any) -> Spot:  # noqa: ANN401 - as in the class
        """Give the spot of a list inside."""
        return replace(self, depth=self.depth - 1, before=(), **more)


@dataclass
class Author:
    """Writes a workflow; what ``draw`` gives decides everything."""

    draw: Draw
    ids: list[str] = field(default_factory=list)
    waits: list[tuple[str, bool]] = field(default_factory=list)
    prefix: str = "s"
    parent: bool = True

    def workflow(self, name: str, depth: int) -> Written:
        """Write a whole workflow."""
        written: Written = {"name": name, "steps": self.steps(Spot(depth), most=4)}
        if self.chance(3):
            written["finally"] = self.steps(Spot(1, cleanup=True), most=2)
        if self.chance(3):
            written["on_failure"] = self.steps(Spot(1, cleanup=True), most=2)
        if self.chance(5):
            written["timeout"] = self.one(("2s", "30s", "1h"))
        if self.chance(6):
            conflict = self.one(("queue", "reject"))
            written["concurrency"] = {"key": "k", "limit": 1, "on_conflict": conflict}
        return written

    def steps(self, spot: Spot, most: int = 3) -> list[Step]:
        """Write a list of steps."""
        steps: list[Step] = []
        for _ in range(1 + self.below(most)):
            if steps and len(self.ids) >= MOST_STEPS:
                break
            step = self.step(spot, {s["id"] for s in steps})
            steps.append(step)
            if step.get("type") and not step.keys() & {"if", "for_each", "catch", "on_failure"}:
                spot = replace(spot, before=(*spot.before, step["id"]))
        return steps

    def step(self, spot: Spot, siblings: set[str]) -> Step:
        """Write one step: a body, and some modifiers around it."""
        name = f"{self.prefix}{len(self.ids)}"
        self.ids.append(name)
        bodies = [self._unit, self._unit, self._unit, self._unit, self._small]
        if spot.depth > 0 and len(self.ids) < MOST_STEPS:
            bodies += [
                self._block, self._block, self._switch, self._repeat, self._items, self._items,
                self._race, self._wait,
            ]  # fmt: skip
            bodies += [self._child] if self.parent else []
        step: Step = {"id": name, **self.one(bodies)(name, spot)}
        if siblings and self.chance(3):
            step["depends_on"] = [self.one(sorted(siblings))]
        if self.chance(6):
            step["if"] = self._condition()
        if not step.keys() & {"raise", "return", "set"}:
            self._around(step, spot)
        return step

    def _around(self, step: Step, spot: Spot) -> None:
        """Put what handles failures around a step."""
        if spot.depth > 0 and self.chance(6):
            steps = self.steps(spot.inside(), most=2)
            step["catch"] = [{"codes": self.some(CODES), "steps": steps}]
        if self.chance(6):
            step["on_failure"] = "continue"
        if self.chance(8):
            step["deadline"] = self.one(_DURATIONS)
        if step.keys() & {"wait", "wait_for", "emit", "workflow"}:
            return
        if self.chance(8):
            step["timeout"] = self.one(_DURATIONS)
        if self.chance(4):
            step["retry"] = {"max_attempts": 1 + self.below(3), "delay": self.one(("0s", "2s"))}

    def _unit(self, name: str, spot: Spot) -> Step:
        local = self.chance(5)
        step: Step = {"type": "sim.look" if local else "sim.do", "input": {"n": self._number(spot)}}
        if local:
            return step
        if self.chance(3) and not spot.cleanup:
            step["compensate"] = self._undo(name)
        if self.chance(8):
            step["cache"] = {"key": f"{name} ${{config.yes}}", "ttl": "1h"}
        if self.chance(8):
            step["for_each"] = self._loop()
            step["input"] = {"n": "${item}"}
            if undo := step.get("compensate"):
                undo["input"] = {"n": "${item}"}
        return step

    def _undo(self, name: str) -> Step:
        undo: Step = {"type": "sim.do", "input": {"n": number_of(name)}}
        return undo | ({"retry": {"max_attempts": 50, "delay": "1s"}} if self.chance(2) else {})

    def _number(self, spot: Spot) -> Any:  # noqa: ANN401 - JSON
        if spot.before and self.chance(2):
            return number_of(self.one(spot.before))
        return f"${{{spot.item}}}" if spot.item and self.chance(2) else self.below(100)

    def _small(self, name: str, spot: Spot) -> Step:
        """Write what takes no time, or ends something."""
        del name
        bodies: list[Step] = [{"set": {"n": 1}}, {"emit": {"type": "sim.happened", "data": {}}}]
        bodies.append({"raise": {"code": "OWN", "message": "on purpose"}})
        if not spot.cleanup:
            bodies.append({"return": {"n": 2}})
        return dict(self.one(bodies))

    def _block(self, name: str, spot: Spot) -> Step:
        del name
        step: Step = {"steps": self.steps(spot.inside())}
        if self.chance(2):
            step["finally"] = self.steps(spot.inside(cleanup=True), most=2)
        return step

    def _switch(self, name: str, spot: Spot) -> Step:
        del name
        said = self._condition()
        first = {"if": said, "steps": self.steps(spot.inside(), most=2)}
        return {"switch": [first, {"else": self.steps(spot.inside(), most=2)}]}

    def _repeat(self, name: str, spot: Spot) -> Step:
        counter = f"{name}c"
        rounds = 1 + self.below(3)
        count = f"${{has(steps.{counter}) ? steps.{counter}.n + 1 : 1}}"
        first = {"id": counter, "type": "sim.do", "input": {"n": count}}
        until = f"${{steps.{counter}.n >= {rounds}}}"
        most = self.one((rounds, 5))
        rest = self.steps(spot.inside(), most=2)
        return {"repeat": {"until": until, "max": most}, "steps": [first, *rest]}

    def _items(self, name: str, spot: Spot) -> Step:
        del name
        inner = self.steps(spot.inside(item="item"), most=2)
        return {"for_each": self._loop(), "steps": inner}

    def _loop(self) -> Step:
        loop: Step = {"in": list(range(self.below(5)))}
        if self.chance(2):
            loop["max_parallel"] = 1 + self.below(3)
        if self.chance(2):
            loop["on_failure"] = self.one(("stop", "continue", {"tolerate": 1}))
        return loop

    def _race(self, name: str, spot: Spot) -> Step:
        del name
        return {"race": [{"steps": self.steps(spot.inside(), most=2)} for _ in range(2)]}

    def _wait(self, name: str, spot: Spot) -> Step:
        del spot
        if self.chance(3):
            return {"wait": self.one(("0s", "2s", "10m"))}
        kind = self.one(("signal", "approval", "event"))
        kinds: dict[str, Step] = {
            "signal": {"signal": "go"},
            "approval": {"approval": {"message": "well?"}},
            "event": {"event": {"type": "sim.told"}},
        }
        said = kinds[kind] | {
            "timeout": self.one(_DURATIONS),
            "on_timeout": self.one(("fail", "continue")),
        }
        self.waits.append((name, kind == "event"))
        return {"wait_for": said}

    def _condition(self) -> str:
        return str(self.one(("${config.yes}", "${!config.yes}")))

    def _child(self, name: str, spot: Spot) -> Step:
        del name, spot
        return {"workflow": CHILD}

    def chance(self, of: int) -> bool:
        """Decide something that happens once in so many times; never is the simplest."""
        return self.below(of) == of - 1

    def below(self, number: int) -> int:
        """Choose a number."""
        chosen: int = self.draw(st.integers(0, number - 1))
        return chosen

    def one(self, choices: Any) -> Any:  # noqa: ANN401 - of any type
        """Choose one."""
        return choices[self.below(len(choices))]

    def some(self, choices: list[T]) -> list[T]:
        """Choose a few, at least one."""
        chosen: list[T] = self.draw(st.lists(st.sampled_from(choices), min_size=1, unique=True))
        return chosen


def number_of(step: str) -> str:
    """Say the number that a step gave."""
    return f"${{steps.{step}.n}}"


@st.composite
def cases(draw: Draw, faults: st.SearchStrategy[Faults] | None = None) -> Case:
    """Draw a workflow that the checker takes, and what goes wrong."""
    from hypothesis import reject

    author = Author(draw)
    written = author.workflow("simulated", 3)
    written["config"] = {"yes": True}
    others = child_of(draw, written)
    try:
        compiled(written, Shelf(others))
    except Refused:
        reject()
    drawn = draw(faults if faults is not None else all_faults())
    letters = tuple(draw(st.lists(_letters(author.waits), max_size=4))) if author.waits else ()
    return Case(written, replace(drawn, letters=letters), others=others)


def child_of(draw: Draw, written: Written) -> dict[str, Written]:
    """Draw the workflow that another one runs, if it does; it reads no input."""
    if not _runs(written):
        return {}
    child = Author(draw, prefix="c", parent=False).workflow(CHILD, 1)
    return {CHILD: child | {"config": {"yes": True}}}


def all_faults() -> st.SearchStrategy[Faults]:
    """Draw anything that can go wrong."""
    return st.builds(
        Faults,
        seed=st.integers(0, 2**32 - 1),
        failing=st.sampled_from([0, 0, 10, 30]),
        silent=st.sampled_from([0, 0, 10]),
        hanging=st.sampled_from([0, 0, 10]),
        lost=st.sampled_from([0, 0, 20]),
        evicted=st.sampled_from([0, 30]),
        slow=st.sampled_from([0, 0, 20]),
        events=st.sampled_from(HISTORIES),
        child=st.sampled_from([0, 0, 20]),
        cancel=st.none() | st.floats(0, 30, width=16),
    )


def calm_faults() -> st.SearchStrategy[Faults]:
    """Draw workers that come and go, while every attempt ends well."""
    return st.builds(
        Faults,
        seed=st.integers(0, 2**32 - 1),
        lost=st.sampled_from([0, 20]),
        evicted=st.sampled_from([0, 30]),
    )


@st.composite
def _letters(draw: Draw, waits: list[tuple[str, bool]]) -> Letter:
    after = draw(st.floats(0, 20, width=16))
    times = draw(st.sampled_from([1, 1, 2]))
    step, event = draw(st.sampled_from(waits))
    if event:
        told: Json = {"id": f"event of {step}", "type": "sim.told", "data": {"n": 1}}
        return Letter(after, "aima.event", [step, told], times=times)
    kind = draw(st.sampled_from(["go", "approve", "approve item", "wrong"]))
    update = draw(st.booleans())
    match kind:
        case "go":
            return Letter(after, "go", {"n": 1}, update=update, times=times)
        case "wrong":
            return Letter(after, "nobody-waits", {"n": 1}, update=True)
    address = f"{step}[0]" if kind == "approve item" else step
    answer: Json = {"step": address, "approved": True, "by": "me"}
    return Letter(after, "aima.approve", answer if update else [answer], update=update, times=times)


def _runs(written: Any) -> bool:  # noqa: ANN401 - a part of a workflow
    """Tell whether a workflow runs another one."""
    if isinstance(written, dict):
        return "workflow" in written or any(_runs(value) for value in written.values())
    return isinstance(written, list) and any(_runs(value) for value in written)
