"""``labels: {key: value}``: words to find a workflow's runs by.

Each run has them as `key=value` in its search attribute `AimaLabels`, by which the Temporal UI and
`aima runs --query 'AimaLabels = "team=home"'` find it.

In a workflow::

    name: found-again
    labels: {team: home, stage: test}
    steps:
      - {id: done, set: {ok: true}}
    output: ${steps.done}

Tried with::

    expect: {output: {ok: true}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.node import Mapping, Node, Scalar
from aima.dsl.signature import JsonSchema
from aima.dsl.types import TEXT

BAD_LABEL = define("document/bad-label", "A label is not text, or too long.")

_MOST_BYTES = 255  # of `key=value`: what every store of Temporal's search attributes takes


class Labels(Section):
    """Texts by name; a run has them as one list of ``key=value``."""

    key = "labels"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {"type": "object", "additionalProperties": {"type": "string"}}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what is no text, and what is too long."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`labels` is a mapping")
            return
        for key, entry in value.entries.items():
            label = entry.value
            if not (isinstance(label, Scalar) and isinstance(label.value, str)):
                checker.findings.error(BAD_LABEL, label, "a label is text", "put it in quotes")
            elif len(f"{key}={label.value}".encode()) > _MOST_BYTES:
                message = f"a label takes at most {_MOST_BYTES} bytes, its name included"
                checker.findings.error(BAD_LABEL, label, message)
            else:
                checker.literal(label, TEXT)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give the list."""
        del compiler
        entries = value.entries.items() if isinstance(value, Mapping) else ()
        labels = [(k, e.value) for k, e in entries]
        return {"labels": [f"{k}={v.value}" for k, v in labels if isinstance(v, Scalar)]}


SECTION = Labels()
