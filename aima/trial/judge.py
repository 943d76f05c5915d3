"""Comparing a run with what was expected of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aima.temporal.runs import Outcome
from aima.trial.cases import Expected
from aima.trial.stand_ins import StandIns

_MOST_SHOWN = 120
_LEAD = 20  # characters before the first difference of two long texts
_MOST_DIFFERENCES = 10


def judge(expected: Expected, outcome: Outcome, seen: StandIns, undone: list[str]) -> list[str]:
    """Tell what is not as expected; nothing where all is."""
    return [*_of_the_end(expected, outcome, undone), *_of_the_calls(expected, seen)]


def _of_the_end(expected: Expected, outcome: Outcome, undone: list[str]) -> Iterator[str]:
    if outcome.state != expected.state:
        told = f": {outcome.error['message']}" if outcome.error else ""
        yield f"the run is {outcome.state}, expected {expected.state}{told}"
    if "output" in expected.model_fields_set:
        yield from _few(differences("output", outcome.output, expected.output))
    if "output_has" in expected.model_fields_set:
        yield from _few(differences("output", outcome.output, expected.output_has, part=True))
    if expected.error:
        yield from _few(differences("error", outcome.error or {}, expected.error, part=True))
    if expected.undone is not None and undone != expected.undone:
        yield f"undone {', '.join(undone) or 'nothing'}, expected {', '.join(expected.undone)}"


def _of_the_calls(expected: Expected, seen: StandIns) -> Iterator[str]:
    for step, count in expected.calls.items():
        if (got := seen.calls.count(step)) != count:
            yield f"{step} was called {got} times, expected {count}"
    firsts = [step for step in dict.fromkeys(seen.calls) if step in expected.order]
    if firsts != expected.order:
        yield f"called in the order {', '.join(firsts)}, expected {', '.join(expected.order)}"
    for step, wanted in expected.inputs.items():
        given = seen.inputs.get(step, [])
        if isinstance(wanted, list):
            yield from _few(differences(f"inputs.{step}", given, wanted, part=True))
        elif not given:
            yield f"{step} was never called, so it had no input"
        else:
            yield from _few(differences(f"inputs.{step}", given[0], wanted, part=True))
    if expected.emitted and seen.emitted != expected.emitted:
        wanted_events = ", ".join(expected.emitted)
        yield f"emitted {', '.join(seen.emitted) or 'nothing'}, expected {wanted_events}"


def differences(where: str, got: Any, wanted: Any, *, part: bool = False) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Walk the places where two values differ; in a ``part`` only what is wanted counts."""
    if isinstance(got, Mapping) and isinstance(wanted, Mapping):
        for key in wanted:
            if key not in got:
                yield f"{where} has no {key!r}, expected {_shown(wanted[key])}"
            else:
                yield from differences(f"{where}.{key}", got[key], wanted[key], part=part)
        for key in () if part else got:
            if key not in wanted:
                yield f"{where}.{key} is {_shown(got[key])}, expected nothing there"
    elif _is_list(got) and _is_list(wanted):
        if len(got) != len(wanted):
            yield f"{where} has {len(got)} items, expected {len(wanted)}"
        for index, (mine, yours) in enumerate(zip(got, wanted, strict=False)):
            yield from differences(f"{where}[{index}]", mine, yours, part=part)
    elif isinstance(got, bool) is not isinstance(wanted, bool) or got != wanted:
        yield _two(where, got, wanted)


def _two(where: str, got: Any, wanted: Any) -> str:  # noqa: ANN401 - JSON
    """Show two values; of long texts the part where they begin to differ."""
    if not (isinstance(got, str) and isinstance(wanted, str)) or len(got + wanted) <= _MOST_SHOWN:
        return f"{where} is {_shown(got)}, expected {_shown(wanted)}"
    pairs = enumerate(zip(got, wanted, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(got), len(wanted)))
    first = max(at - _LEAD, 0)
    lead = "…" if first else ""
    mine, yours = (lead + text[first : first + _MOST_SHOWN] for text in (got, wanted))
    head = f"{where} differs from character {at + 1} on:"
    return f"{head}\n  is       {_shown(mine)}\n  expected {_shown(yours)}"


def _few(found: Iterator[str]) -> Iterator[str]:
    for number, difference in enumerate(found):
        if number == _MOST_DIFFERENCES:
            yield "and more"
            return
        yield difference


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2 * _MOST_SHOWN else text[: 2 * _MOST_SHOWN] + "…"
