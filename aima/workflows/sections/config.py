"""``config``: values by name, read as ``${config.x}``, which a run may override.

`aima run FILE --set NAME=VALUE` overrides one for a run, `aima apply` pins them. They are written
out: no `${…}` stands in them.

In a workflow::

    name: configured
    config: {greeting: Hello, times: 2}
    steps:
      - {id: say, set: {text: "${config.greeting}, ${config.times} times"}}
    output: {text: "${steps.say.text}"}

Tried with::

    config: {greeting: Servus}
    expect: {output: {text: "Servus, 2 times"}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.node import Mapping, Node, to_json
from aima.dsl.signature import JsonSchema
from aima.dsl.values import NOT_ALLOWED


class Config(Section):
    """Values as they are written."""

    key = "config"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {"type": "object"}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell expressions: they would stay the text they are."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`config` is a mapping")
            return
        for text in checker.document.texts(value):
            hint = "config values are written out; a step can compute"
            message = "no `${…}` can stand in `config`"
            checker.findings.error(NOT_ALLOWED, text.scalar, message, hint)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give the values."""
        del compiler
        return {"config": to_json(value)}


SECTION = Config()
