"""``secrets: {name: env:VARIABLE | file:PATH}``: references to what no history may hold.

The value is read inside the activity that uses it, and stands in no plan, no history and no log.
It is used as a whole or with text around it, in inputs of units that accept one; nothing computes
with it.

In a workflow::

    name: with-a-key
    secrets: {token: env:ACME_TOKEN, pin: file:/run/secrets/pin}
    steps:
      - {id: done, set: {ok: true}}
    output: ${steps.done}

Tried with::

    expect: {output: {ok: true}}
"""

from __future__ import annotations

import re

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.node import Mapping, Node, Scalar, to_json
from aima.dsl.signature import JsonSchema

BAD_REFERENCE = define("secrets/bad-reference", "A secret is written out, or refers to nothing.")

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*")


class Secrets(Section):
    """References; the value exists only inside the activity that uses it."""

    key = "secrets"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        reference = {"type": "string", "pattern": f"^({REFERENCE.pattern})$"}
        return {"type": "object", "additionalProperties": reference}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what is no reference, without repeating it: it may be the secret itself."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`secrets` is a mapping")
            return
        for entry in value.entries.values():
            said = entry.value
            text = said.value if isinstance(said, Scalar) else None
            if not (isinstance(text, str) and REFERENCE.fullmatch(text)):
                hint = "write env:VARIABLE or file:PATH"
                checker.findings.error(
                    BAD_REFERENCE, said, "a secret is named here, never written out", hint
                )

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give the references."""
        del compiler
        return {"secrets": to_json(value)}


SECTION = Secrets()
