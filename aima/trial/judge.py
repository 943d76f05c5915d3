"""Comparing a run with what was expected of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aima.temporal.runs import Outcome
from aima.trial.cases import Expected
from aima.trial.stand_ins import StandIns


def judge(expected: Expected, outcome: Outcome, seen: StandIns, undone: list[str]) -> list[str]:
    """Tell what is not as expected; nothing where all is."""
    return [*_of_the_end(expected, outcome, undone), *_of_the_calls(expected, seen)]


def _of_the_end(expected: Expected, outcome: Outcome, undone: list[str]) -> Iterator[str]:
    if outcome.state != expected.state:
        told = f": {outcome.error['message']}" if outcome.error else ""
        yield f"the run is {outcome.state}, expected {expected.state}{told}"
    if "output" in expected.model_fields_set and outcome.output != expected.output:
        yield f"output {_shown(outcome.output)}, expected {_shown(expected.output)}"
    yield from _missing("error", outcome.error, expected.error or {})
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
        yield from _missing(f"what {step} got, its", seen.inputs.get(step), wanted)
    if expected.emitted and seen.emitted != expected.emitted:
        wanted_events = ", ".join(expected.emitted)
        yield f"emitted {', '.join(seen.emitted) or 'nothing'}, expected {wanted_events}"


def _missing(what: str, got: Any, wanted: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Tell which of the wanted entries a map does not have."""
    for key, value in wanted.items():
        has = got.get(key) if isinstance(got, Mapping) else None
        if has != value:
            yield f"{what} {key} is {_shown(has)}, expected {_shown(value)}"


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, ensure_ascii=False)
