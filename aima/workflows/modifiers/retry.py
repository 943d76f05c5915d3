"""``retry: {max_attempts, delay, backoff, max_delay, non_retryable}``: how to try again.

The earlier system's ``delay_seconds`` is a delay that does not grow: it implies ``backoff: 1``.
"""

from __future__ import annotations

from typing import cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE, Step, unknown_keys
from aima.dsl.duration import parse_duration
from aima.dsl.json import Json
from aima.dsl.node import Mapping, Node, Scalar
from aima.dsl.signature import JsonSchema
from aima.workflows.bodies.unit import signature_of, unit_defaults
from aima.workflows.duration_modifier import check_duration
from aima.workflows.retry_policy import MOST_ATTEMPTS

NOT_IDEMPOTENT = define("retry/not-idempotent", "A unit is retried that is not idempotent.")

_TEN_YEARS = 3650 * 86_400
_PLAIN: dict[str, JsonSchema] = {
    "max_attempts": {"type": "integer", "minimum": 1, "maximum": MOST_ATTEMPTS},
    "backoff": {"type": "number", "minimum": 1},
    "non_retryable": {"type": "array", "items": {"type": "string"}},
    "delay_seconds": {"type": "number", "minimum": 0, "maximum": _TEN_YEARS},
}
_DURATIONS = ("delay", "max_delay")


class Retry:
    """Temporal's retry policy; what is not said stays as the unit has it."""

    key = "retry"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        durations = {key: {"type": "string"} for key in _DURATIONS}
        return {"type": "object", "additionalProperties": False, "properties": _PLAIN | durations}

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell unknown keys and values that make no policy."""
        if not isinstance(value, Mapping):
            message = "`retry` is a map"
            checker.findings.error(WRONG_TYPE, value, message, "write {max_attempts: 3}")
            return
        unknown_keys(value, (*_PLAIN, *_DURATIONS), checker.findings, where="`retry`")
        for key, schema in _PLAIN.items():
            if (given := value.get(key)) is not None:
                checker.value(given, schema)
        for key in _DURATIONS:
            if (given := value.get(key)) is not None:
                check_duration(given, checker, parse_duration)
        self._check_idempotent(value, step, checker)

    def output(self, value: Node, schema: JsonSchema) -> JsonSchema:
        """Give what the step leaves behind: the same."""
        del value
        return schema

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the unit's policy with the author's words over it."""
        said = cast("dict[str, Json]", compiler.value(value))
        if "delay_seconds" in said:
            said = {"backoff": 1, "delay": said["delay_seconds"], **said}
            del said["delay_seconds"]
        unit = compiler.signatures[str(cast("Scalar", step.get("type")).value)]
        defaults = cast("dict[str, Json]", unit_defaults(unit)["retry"])
        return {"retry": {**defaults, "backoff": 2, **said}}

    def _check_idempotent(self, value: Mapping, step: Step, checker: Checker) -> None:
        unit = signature_of(step, checker.signatures)
        if unit is not None and not unit.idempotent:
            message = f"`{unit.name}` is not idempotent; its effect is recorded, yet an outside "
            message += "system must know the effect key to drop a repeat"
            checker.findings.warning(NOT_IDEMPOTENT, value, message)


MODIFIER = Retry()
