"""``defaults: {timeout, retry, …}``: what holds for steps with units that say nothing else.

What a step says itself goes first, then this, then what the unit declares.

In a workflow::

    name: all-patient
    defaults: {timeout: 2m, retry: {max_attempts: 2, delay: 1s}}
    steps:
      - {id: answer, type: template.render, input: {text: hi}}
    output: {text: "${steps.answer.text}"}

Tried with::

    stand_ins: {answer: [{error: {code: ENGINE_NOT_RUNNING}}, {output: {text: hi}}]}
    expect: {output: {text: hi}, calls: {answer: 2}}
"""

from __future__ import annotations

from dataclasses import replace

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import Findings
from aima.dsl.document import WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.node import Mapping, Node, Scalar
from aima.dsl.signature import JsonSchema
from aima.workflows.shapes import as_of_a_step

KEYS = ("timeout", "deadline", "heartbeat", "retry", "on_failure", "queue", "priority")


class Defaults(Section):
    """Modifiers for every step that runs a unit and has none of its own."""

    key = "defaults"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        properties = {key: as_of_a_step(key, f"The `{key}` of such steps.") for key in KEYS}
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what no default can be, and what is wrong with one."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`defaults` is a mapping")
            return
        unknown_keys(value, KEYS, checker.findings, where="`defaults`")
        nobody = Step("", Scalar("", value.mark, value.end), "type", value)
        found = len(checker.findings.all)
        for key, entry in value.entries.items():
            if key in KEYS:
                checker.language.modifiers[key].check(entry.value, nobody, checker)
        if len(checker.findings.all) == found:
            self._check_steps(value, checker)

    @staticmethod
    def _check_steps(value: Mapping, checker: Checker) -> None:
        """Tell a default that is wrong for a step it holds for; once, for there is one place."""
        for key in ("heartbeat", "retry"):
            if (said := value.get(key)) is not None:
                mine = Findings(checker.findings.file)
                for step in checker.document.all_steps:
                    if step.body == "type" and step.get(key) is None and not mine.all:
                        modifier = checker.language.modifiers[key]
                        modifier.check(said, step, replace(checker, findings=mine))
                checker.findings.all.extend(mine.all)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give nothing: the steps have them."""
        del value, compiler
        return {}


SECTION = Defaults()
