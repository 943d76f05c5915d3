"""``stream: true``: show the step's answer while it is made.

`aima run` shows the words of a chat as they come, and so does `aima watch RUN`, from the beginning
however late. What the step leaves behind is the whole answer, as without it. An attempt that
begins again begins its stream again. A later step that reads exactly this text into an input that
accepts a stream starts meanwhile, and reads along.

In a workflow::

    name: shown
    steps:
      - id: answer
        type: inference.chat
        stream: true
        input: {messages: [{role: user, content: Why?}]}
    output: {text: "${steps.answer.content}"}

Tried with::

    stand_ins:
      answer:
        output:
          content: Because.
          response: {content: Because.}
          finish_reason: stop
          model: m
          usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2}
    expect: {output: {text: Because.}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node as Written
from aima.dsl.node import to_json
from aima.dsl.order import said_before
from aima.dsl.signature import JsonSchema, Signature
from aima.workflows.bodies.unit import signature_of
from aima.workflows.follow import could_follow, shows, shows_field
from aima.workflows.modifiers.cache import only_units

NOTHING = define("stream/nothing-shown", "A unit shows nothing while it works.")
NOT_FOLLOWED = define("stream/not-followed", "A step waits for all of what it could follow.")

_BOOLEAN: JsonSchema = {"type": "boolean"}


class Stream(Modifier):
    """Whether the answer is shown while it is made."""

    key = "stream"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _BOOLEAN

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is neither true nor false, a unit that shows nothing, and who is deaf to it."""
        only_units(self.key, step, checker)
        checker.literal(value, _BOOLEAN)
        signature = signature_of(step, checker.signatures)
        if signature is None or to_json(value) is not True:
            return
        if shows(signature):
            _tell_the_deaf(step, signature, checker)
            return
        able = ", ".join(f"`{name}`" for name, unit in checker.signatures.items() if shows(unit))
        message = f"`{signature.name}` shows nothing while it works"
        hint = f"remove it; those that do are {able}" if able else "remove it"
        checker.findings.warning(NOTHING, value, message, hint)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Say it where it is wanted."""
        del step, compiler
        return {"stream": True} if to_json(value) is True else {}


def _tell_the_deaf(step: Step, signature: Signature, checker: Checker) -> None:
    """Tell steps that name this one under ``depends_on`` though they could hear it at once."""
    for other in checker.scopes.places[step.id][-1].list.steps:
        unit = signature_of(other, checker.signatures)
        if unit is None or step.id not in said_before(other):
            continue
        for name, field in could_follow(other, unit, checker.document):
            if name == step.id and shows_field(signature, field):
                message = f"this waits for all of `{name}`, which could be followed as it comes"
                where = other.node.entries["depends_on"].value
                hint = f"leave `{name}` out: reading it is the order"
                checker.findings.warning(NOT_FOLLOWED, where, message, hint)


MODIFIER = Stream()
