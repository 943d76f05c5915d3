"""Stand-ins: one activity that answers for every unit as the test says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio import activity
from temporalio.activity import Info
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, TimeoutType

from aima.catalog import Catalog
from aima.dsl.duration import parse_duration
from aima.dsl.template import compile_value, evaluator
from aima.errors import StreamLost, TimedOut, UnitNotFound, error_class
from aima.trial.cases import Answer, Case, Failure
from aima.trial.late import AIMA, Activity, Said
from aima.workflows.failure import timeout_message

_UNDO = "undo:"


@dataclass
class StandIns:
    """Answers for the units of one run, and remembers how they were called.

    Attributes:
        said: what they said, as far as the run must know it.
        calls: the steps whose units were called, in order; an attempt is a call.
        inputs: what each step's unit got, call by call.
        emitted: the types of the events that were published.
        missing: steps that nobody stands in for.
    """

    case: Case
    catalog: Catalog
    said: Said = field(default_factory=Said)
    calls: list[str] = field(default_factory=list)
    inputs: dict[str, list[Any]] = field(default_factory=dict)
    emitted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    _turns: Counter[str] = field(default_factory=Counter)

    def activity(self) -> Callable[..., Any]:
        """Make the activity."""

        @activity.defn(dynamic=True)
        async def answer(args: Sequence[RawValue]) -> Any:  # noqa: ANN401 - whatever the test says
            convert = activity.payload_converter().from_payload
            given, *more = (convert(arg.payload) for arg in args)
            info = activity.info()
            if info.activity_type.startswith(AIMA):
                return self._of_aima(info.activity_type, given)
            return self._call(info, given, more)

        return answer

    def _call(self, info: Info, given: Any, more: list[Any]) -> Any:  # noqa: ANN401 - JSON
        unit, path = info.activity_type, info.activity_id
        step = step_of(path)
        call = more[0] if more and isinstance(more[0], dict) else {}
        if "follows" in call:  # stand-ins show nothing while they work: it comes again, whole
            raise ApplicationError("no stream", type=StreamLost.code, non_retryable=True)
        self.said.again.discard(_activity(info))
        self.calls.append(step)
        self.inputs.setdefault(step, []).append(given)
        self._check(unit, given, step, output=False)
        answer = self._answer(unit, step)
        if self._is_over(info, parse_duration(answer.delay)):
            message = timeout_message(TimeoutType.START_TO_CLOSE)
            raise self._failed(Failure(code=TimedOut.code, message=message), info)
        if answer.error is not None:
            raise self._failed(answer.error, info)
        output = evaluator(compile_value(answer.output or {}))({"input": given})
        self._check(unit, output, step, output=True)
        return {"hit": False, "output": output} if "cache" in call else output

    def _is_over(self, info: Info, delay: timedelta) -> bool:
        """Note how late an attempt is; tell whether it is later than its timeout."""
        timeout = info.start_to_close_timeout or delay
        self.said.delays[_activity(info)] += min(delay, timeout)
        return delay > timeout

    def _failed(self, failure: Failure, info: Info) -> ApplicationError:
        """Fail an attempt; no other one comes once the run has cancelled them."""
        activity = _activity(info)
        last = not error_class(failure.code).retryable or activity in self.said.unwanted
        if not last:
            self.said.again.add(activity)
        details = {"attempt": info.attempt}
        return ApplicationError(failure.message, details, type=failure.code, non_retryable=last)

    def _answer(self, unit: str, step: str) -> Answer:
        """Find the answer for a step, else for its unit; the last one of a list repeats."""
        key = step if step in self.case.stand_ins else unit
        said = self.case.stand_ins.get(key)
        if said is None:
            if step.startswith(_UNDO):
                return Answer(output={})
            self.missing.append(step)
            raise _wrong(f"nobody stands in for step {step!r} ({unit}): {self._skeleton(unit)}")
        turn = min(self._turns[key], len(said) - 1)
        self._turns[key] += 1
        return said[turn]

    def _check(self, unit: str, value: Any, step: str, *, output: bool) -> None:  # noqa: ANN401 - JSON
        """Refuse what the real unit would never take, or never give."""
        try:
            known = self.catalog.get(unit)
        except UnitNotFound:
            return
        if output and step.startswith(_UNDO) and not value:
            return
        try:
            (known.output if output else known.input).model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            way = ".".join(map(str, first["loc"]))
            does = "gives no such output" if output else "takes no such input"
            raise _wrong(f"step {step!r}: {unit} {does}: `{way}`: {first['msg']}") from error

    def _skeleton(self, unit: str) -> str:
        try:
            example = self.catalog.get(unit).examples[0].output
        except (UnitNotFound, IndexError):
            example = {}
        return f"add `stand_ins: {{STEP: {{output: {dict(example)!r}}}}}`"

    def _of_aima(self, name: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        if name == "aima.emit":
            self.emitted.append(str(given["type"]))
            return {"id": f"event-{len(self.emitted)}"}
        return {"aima.listen": {"events": []}, "aima.acquire": "granted"}.get(name)


def step_of(path: str) -> str:
    """Name the step of an activity: its path without items, rounds and passes."""
    undo = _UNDO if path.startswith(_UNDO) else ""
    last = path.removeprefix(_UNDO).rpartition(".")[2]
    return undo + re.split(r"[\[#@]", last)[0]


def _activity(info: Info) -> Activity:
    return info.workflow_id or "", info.activity_id, info.is_local


def _wrong(message: str) -> ApplicationError:
    return ApplicationError(message, {"attempt": 1}, type="VALIDATION_ERROR", non_retryable=True)
