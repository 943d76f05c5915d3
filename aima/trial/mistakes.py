"""Mistakes in test files that only the workflow can tell: names of steps, units and signals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aima.catalog import Catalog
from aima.dsl.duration import parse_duration
from aima.dsl.nearest import nearest
from aima.dsl.plan import Plan
from aima.trial.cases import Case, Read
from aima.workflows.outline import Line, shape

_UNDO = "undo:"


@dataclass(frozen=True)
class Names:
    """What a test file may name."""

    steps: tuple[str, ...]
    units: tuple[str, ...]
    approvals: tuple[str, ...]
    signals: tuple[str, ...]


def names_of(plan: Plan, catalog: Catalog) -> Names:
    """Gather what the tests of a workflow may name."""
    lines = list(_lines(plan.data))
    waits = [line for line in lines if line.step["body"] == "wait_for"]
    return Names(
        steps=tuple(line.id for line in lines),
        units=tuple(catalog.units),
        approvals=tuple(w.id for w in waits if "approval" in w.step["wait_for"]),
        signals=tuple(
            str(w.step["wait_for"]["signal"]) for w in waits if "signal" in w.step["wait_for"]
        ),
    )


def _lines(plan: Mapping[str, Any]) -> Iterator[Line]:
    """Walk the steps of a workflow and of its children."""
    for line in shape(plan):
        yield line
        if "plan" in line.step:
            yield from _lines(line.step["plan"])


def mistakes(read: Read, names: Names) -> Iterator[str]:
    """Tell each mistake, with `file:line:column` in front."""
    seen: set[str] = set()
    for index, case in enumerate(read.tests.cases):
        at = ("cases", index)
        if case.name in seen:
            yield f"{read.place(*at, 'name')}: there are two cases {case.name!r}"
        seen.add(case.name)
        for path, message in (*_of_names(case, names), *_of_times(case)):
            yield f"{read.place(*at, *path)}: {message}"


def _of_names(case: Case, names: Names) -> Iterator[tuple[tuple[str | int, ...], str]]:
    steps = (*names.steps, *(f"{_UNDO}{step}" for step in names.steps))
    for key in case.stand_ins:
        yield from _unknown(
            key, (*steps, *names.units), ("stand_ins", key), "no step and no unit is called"
        )
    expected = case.expect
    for where in ("calls", "inputs"):
        for key in getattr(expected, where):
            yield from _unknown(key, steps, ("expect", where, key), "no step is called")
    for where in ("order", "undone"):
        for position, key in enumerate(getattr(expected, where) or ()):
            yield from _unknown(key, steps, ("expect", where, position), "no step is called")
    for position, answer in enumerate(case.approvals):
        step = answer.step.partition("[")[0]
        where_to = ("approvals", position, "step")
        yield from _unknown(step, names.approvals, where_to, "no step waits for approval called")
    for position, signal in enumerate(case.signals):
        path = ("signals", position, "name")
        yield from _unknown(signal.name, names.signals, path, "no step waits for a signal")


def _unknown(
    name: str, known: Iterable[str], path: tuple[str | int, ...], what: str
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    names = list(known)
    if name not in names:
        near = nearest(name, names)
        hint = f"; did you mean {near!r}?" if near else ""
        yield path, f"{what} {name!r}{hint}"


def _of_times(case: Case) -> Iterator[tuple[tuple[str | int, ...], str]]:
    durations = [
        ((key, index, "delay"), answer.delay)
        for key, answers in case.stand_ins.items()
        for index, answer in enumerate(answers)
    ]
    times: list[tuple[tuple[str | int, ...], str]] = [
        (("stand_ins", *path), text) for path, text in durations
    ]
    for where in ("signals", "approvals", "events"):
        for index, sent in enumerate(getattr(case, where)):
            times.append(((where, index, "after"), sent.after))
    if case.cancel is not None:
        times.append((("cancel", "after"), case.cancel.after))
    for path, text in times:
        try:
            parse_duration(text)
        except ValueError as error:
            yield path, str(error)
    if case.now and moment(case.now) is None:
        yield ("now",), f"{case.now!r} is no time; write 2099-05-01T12:00:00Z"


def moment(text: str) -> datetime | None:
    """Read a time with its zone; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
