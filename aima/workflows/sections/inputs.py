"""``inputs``: the JSON Schema of a run's input, which is an object.

With `properties`, other fields are refused unless `additionalProperties` says otherwise. Defaults
fill in; a field that is neither required nor has a default is read with `has`. `format: artifact`
is a file: `aima run … -i audio=@question.wav`. A list of them takes `-i photos=@a.jpg` more than
once, a folder, a pattern (`-i 'photos=@*.jpg'`), or a JSON or YAML file with the list, such as
`["@a.jpg"]` of a file beside it. Without `inputs`, a run takes any object.

In a workflow::

    name: welcome
    inputs:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1, description: Who is welcome.}
        loud: {type: boolean, default: false}
    steps:
      - {id: say, set: {text: "Welcome, ${input.name}${input.loud ? '!' : '.'}"}}
    output: {text: "${steps.say.text}"}

Tried with::

    input: {name: Ada}
    expect: {output: {text: "Welcome, Ada."}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.node import Mapping, Node, to_json
from aima.dsl.roots import BadSchema, read_inputs
from aima.dsl.signature import JsonSchema
from aima.dsl.values import node_at, shortened

BAD_SCHEMA = define("inputs/bad-schema", "`inputs` is no valid JSON Schema of an object.")


class Inputs(Section):
    """What a run takes; without it, anything."""

    key = "inputs"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {"type": "object"}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what is no JSON Schema of an object."""
        if not isinstance(value, Mapping):
            checker.findings.error(WRONG_TYPE, value.mark, "`inputs` is a mapping")
            return
        try:
            read_inputs(value)
        except BadSchema as error:
            where = node_at(value, error.path)
            message = shortened(error.message)
            checker.findings.error(
                BAD_SCHEMA, where if error.path else value.mark, message, error.hint
            )

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give the schema."""
        del compiler
        return {"inputs": to_json(value)}


SECTION = Inputs()
