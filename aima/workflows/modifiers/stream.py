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
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node as Written
from aima.dsl.node import to_json
from aima.dsl.signature import JsonSchema
from aima.workflows.modifiers.cache import only_units

_BOOLEAN: JsonSchema = {"type": "boolean"}


class Stream(Modifier):
    """Whether the answer is shown while it is made."""

    key = "stream"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _BOOLEAN

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is neither true nor false."""
        only_units(self.key, step, checker)
        checker.literal(value, _BOOLEAN)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Say it where it is wanted."""
        del step, compiler
        return {"stream": True} if to_json(value) is True else {}


MODIFIER = Stream()
