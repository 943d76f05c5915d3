"""``defaults: {timeout, retry, …}``: what holds for steps with units that say nothing else."""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.node import Mapping, Node, Scalar
from aima.dsl.signature import JsonSchema

KEYS = ("timeout", "deadline", "heartbeat", "retry", "on_failure", "queue", "priority")


class Defaults(Section):
    """Modifiers for every step that runs a unit and has none of its own."""

    key = "defaults"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        properties = {key: {"$ref": f"#/$defs/step/properties/{key}"} for key in KEYS}
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what no default can be, and what is wrong with one."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`defaults` is a mapping")
            return
        unknown_keys(value, KEYS, checker.findings, where="`defaults`")
        nobody = Step("", Scalar("", value.mark, value.end), "", Mapping({}, value.mark, value.end))
        for key, entry in value.entries.items():
            if key in KEYS:
                checker.language.modifiers[key].check(entry.value, nobody, checker)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give nothing: the steps have them."""
        del value, compiler
        return {}


SECTION = Defaults()
