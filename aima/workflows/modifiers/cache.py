"""``cache: {key: "${…}", ttl: 1h}``: reuse an output across runs.

Only successes are kept, under the unit, its version and the key. What came from the cache ran no
unit and registers no undo; `aima status` says ``from cache`` of it.

In a workflow::

    name: embed-once
    config: {text: Hello}
    steps:
      - id: greeting
        type: template.render
        input: {text: "{{ t }}!", values: {t: "${config.text}"}}
        cache: {key: "greeting/${config.text}", ttl: 7d}
    output: {text: "${steps.greeting.text}"}

Tried with::

    stand_ins: {greeting: {output: {text: Hello!}}}
    expect: {output: {text: Hello!}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, Step, unknown_keys
from aima.dsl.duration import parse_bound
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Mapping
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.dsl.types import TEXT
from aima.workflows.duration_modifier import check_duration
from aima.workflows.shapes import duration

NOT_A_UNIT = define("step/only-units", "Only a step that runs a unit takes this.")


class Cache(Modifier):
    """An output is kept under the unit, its version and the key; only successes are."""

    key = "cache"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {
            "type": "object",
            "required": ["key"],
            "additionalProperties": False,
            "properties": {
                "key": {**TEXT, "description": "What makes two calls the same."},
                "ttl": duration("How long it is kept; absent: for ever."),
            },
        }

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell a cache without a key, and one of something that is no unit."""
        only_units(self.key, step, checker)
        if not isinstance(value, Mapping):
            hint = 'write {key: "${…}", ttl: 1h}'
            checker.findings.error(WRONG_TYPE, value, "`cache` is a map", hint)
            return
        unknown_keys(value, ("key", "ttl"), checker.findings, where="`cache`")
        if (key := value.get("key")) is None:
            checker.findings.error(MISSING_KEY, value.mark, "`cache` needs a `key`")
        else:
            checker.value(key, {})
        if (ttl := value.get("ttl")) is not None:
            check_duration(ttl, checker, parse_bound)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give key and time to live."""
        del step
        return {"cache": compiler.value(value)}


def only_units(key: str, step: Step, checker: Checker) -> None:
    """Tell a modifier that has no meaning for this body."""
    if step.body != "type":
        message = f"`{key}` is for steps that run a unit, and this one is `{step.body}`"
        hint = "put it on the steps inside"
        checker.findings.error(NOT_A_UNIT, step.node.entries[key].key, message, hint)


MODIFIER = Cache()
