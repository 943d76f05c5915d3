"""What a running construct sees: the plan's steps, compiled, and the run around them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from temporalio.common import RetryPolicy

from aima.dsl.duration import parse_bound
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.order import find_cycle
from aima.dsl.places import place_of
from aima.dsl.template import Evaluator, evaluator
from aima.workflows.failure import StepError, StepFailed
from aima.workflows.resume import step_in

if TYPE_CHECKING:
    from aima.workflows.activity import Call as UnitCall
    from aima.workflows.run import Run

Roots: TypeAlias = dict[str, object]
Place: TypeAlias = dict[str, Any]
"""Where a construct keeps what a continued run must know of it: plain JSON."""
Parsed = TypeVar("Parsed")
Call: TypeAlias = Callable[["Frame"], Awaitable[Json]]


class Node:
    """One step of a plan.

    Its expressions are compiled when they are first needed, once for all runs of the plan: all
    at once, those of a long plan would take longer than the SDK lets a workflow think.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take a step as the plan has it.

        Raises:
            LookupError, TypeError, ValueError: it is no step.
        """
        self.data = data
        self.id = str(data["id"])
        self.body = str(data["body"])
        self.line = int(data["at"][0])
        self.after = tuple(map(str, data["after"]))
        self.follows = str(data["follows"]["step"]) if "follows" in data else ""
        if self.follows and self.follows not in self.after:
            raise ValueError(f"step {self.id!r} follows one that it does not wait for")
        self.places = list(data["places"])
        self.policy: RetryPolicy | None = None
        self.calls: dict[tuple[str, ...], UnitCall] = {}
        self._evaluators: dict[tuple[str | int, ...], Evaluator] = {}
        self._steps: dict[tuple[str | int, ...], Steps] = {}

    @cached_property
    def call(self) -> Call:
        """What runs it: its modifiers, one around the other, and its body."""
        from aima.workflows.constructs import call_of

        return call_of(self)

    def at(self, *path: str | int) -> Any:  # noqa: ANN401 - a part of the plan
        """Give what the plan has at a path; None where it has nothing."""
        here: Any = self.data
        for key in path:
            if isinstance(here, dict) and key not in here:
                return None
            here = here[key]
        return here

    def steps(self, *path: str | int) -> Steps:
        """Give the list of steps at a path.

        Raises:
            LookupError, TypeError, ValueError: there is none that can run.
        """
        if path not in self._steps:
            self._steps[path] = Steps(self.at(*path))
        return self._steps[path]

    def lists(self) -> tuple[Steps, ...]:
        """Give the lists of steps inside; its body and modifiers read them when they took it."""
        return tuple(self._steps.values())

    def value(self, frame: Frame, *path: str | int) -> Json:
        """Evaluate what the plan has at a path; None where it has nothing.

        Raises:
            StepFailed: an expression in it failed, or is none.
        """
        evaluate = self._evaluators.get(path)
        try:
            if evaluate is None:
                evaluate = self._evaluators[path] = evaluator(self.at(*path))
            return evaluate(frame.roots)
        except ExpressionError as error:
            place = place_of(error, self.places, *path)
            raise StepFailed(self.error(error.code, place.tell(error), line=place.line)) from error

    def decides(self, frame: Frame, *path: str | int) -> bool:
        """Evaluate a condition.

        Raises:
            StepFailed: it failed, or is neither true nor false.
        """
        value = self.value(frame, *path)
        if isinstance(value, bool):
            return value
        where = ".".join(map(str, path))
        message = f"`{where}` is neither true nor false; write a comparison"
        raise StepFailed(self.error("VALIDATION_ERROR", message))

    def duration(self, frame: Frame, *path: str | int) -> timedelta | None:
        """Evaluate a bound in time; None where the plan has none there.

        Raises:
            StepFailed: it is none, or zero.
        """
        if self.at(*path) is None:
            return None
        return self.read(parse_bound, self.value(frame, *path), ".".join(map(str, path)))

    def read(self, parse: Callable[[Json], Parsed], value: Json, key: str) -> Parsed:
        """Read an evaluated value with a function that raises ``ValueError`` for a wrong one.

        Raises:
            StepFailed: it is wrong.
        """
        try:
            return parse(value)
        except ValueError as error:
            raise StepFailed(self.error("VALIDATION_ERROR", f"`{key}`: {error}")) from error

    def error(
        self, code: str, message: str, *, attempt: int = 1, line: int | None = None
    ) -> StepError:
        """Describe a failure of this step."""
        return StepError(
            code=code,
            message=message,
            step=self.id,
            unit=self.data.get("unit"),
            attempt=attempt,
            line=line or self.line,
        )


class Steps:
    """A list of steps, ready to run: who waits for how many, and whom each one frees."""

    def __init__(self, data: object) -> None:
        """Take a list as the plan has it.

        Raises:
            LookupError, TypeError, ValueError: one of them is no step, or they never end.
        """
        from aima.workflows.constructs import running_bodies, running_modifiers

        if not isinstance(data, list):
            raise TypeError("steps are a list")
        self.nodes = tuple(map(Node, data))
        for node in self.nodes:
            running_bodies()[node.body].accept(node)
            for modifier in running_modifiers():
                if modifier.applies(node):
                    modifier.accept(node)
        order = {node.id: node.after for node in self.nodes}
        if len(order) < len(self.nodes) or find_cycle(order):
            raise ValueError("two of its steps have one id or wait for each other")
        self.waits = {node.id: len(node.after) for node in self.nodes}
        self.frees: dict[str, list[Node]] = {node.id: [] for node in self.nodes}
        for node in self.nodes:
            for name in node.after:
                self.frees[name].append(node)
        self.leads: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.follows:
                self.leads.setdefault(node.follows, []).append(node)

    def all_nodes(self) -> Iterator[Node]:
        """Walk all steps, those inside others included."""
        for node in self.nodes:
            yield node
            for inner in node.lists():
                yield from inner.all_nodes()


@dataclass(frozen=True)
class Frame:
    """What surrounds a step: the run, what it may read, and where it is in its loops.

    Attributes:
        outputs: what ``steps`` has for it.
        place: what a continued run must know of the list it stands in.
        path: what tells it from its like in other rounds, passes and items: ``pages[3].``.
        own: the step that this frame was made for, such as an item of a loop, and its path.
        items: the positions in the loops around it, the outermost first.
        ended: waits for a step of the list; None where no step of it follows another.
        closing: whether it has ended already, and what was begun in it may only clean up.
    """

    run: Run
    roots: Roots
    outputs: dict[str, Json]
    place: Place
    path: str = ""
    own: tuple[str, str] = ("", "")
    items: tuple[int, ...] = ()
    ended: Callable[[str], Awaitable[None]] | None = None
    closing: bool = False

    def path_of(self, node: Node) -> str:
        """Name a step in the run: unique, and the same on every replay."""
        return self.own[1] if node.id == self.own[0] else f"{self.path}{node.id}"

    def effect_key(self, path: str) -> str:
        """Name an effect for ever: workflow, first run of the chain, path.

        A retry goes on with the names of the run before, but for what is to happen again.
        """
        renewed: Mapping[str, str] | None = self.run.state.get("renewed")
        beginning = renewed.get(step_in(path)) if renewed else None
        return f"{beginning or self.run.effects}/{path}"

    def place_of(self, node: Node) -> Place:
        """Give the place of a step in the list."""
        return self.place if node.id == self.own[0] else inside(self.place, node.id)

    def within(self, place: Place, path: str | None = None) -> Frame:
        """Make the frame of a list inside; its paths begin with ``path``, if that is told."""
        inner = self.path if path is None else f"{path}."
        return replace(self, place=place, path=inner, own=("", ""))


def begun(place: Place) -> list[str]:
    """List the keys of the places under a place that may have to clean up yet."""
    return [key for key, inner in place.get("in", {}).items() if not inner.get("closed")]


def close(place: Place, key: str) -> None:
    """Remember of the place under a key, if there is one, that what it is for has ended badly."""
    if key in place.get("in", {}):
        place["in"][key]["closed"] = True


def inside(place: Place, key: str) -> Place:
    """Give the place under a key, made where it is not there yet."""
    inner: Place = place.setdefault("in", {}).setdefault(key, {})
    return inner


def leave(place: Place, key: str) -> None:
    """Forget the place under a key."""
    if "in" in place:
        place["in"].pop(key, None)
