"""``wait: 30s`` or ``wait: {until: "${…}"}``: a durable timer.

Nothing is held meanwhile, and a restart of everything shortens no wait. `until` is a time in ISO
8601; one in the past is over at once.

In a workflow::

    name: remind
    config: {due: "2020-05-01T12:00:00Z"}
    steps:
      - {id: pause, wait: 2d}
      - {id: due, depends_on: [pause], wait: {until: "${config.due}"}}
      - {id: note, depends_on: [due], set: {text: It is time.}}
    output: {text: "${steps.note.text}"}

Tried with::

    expect: {output: {text: It is time.}}
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import workflow

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import MISSING_KEY, Step, unknown_keys
from aima.dsl.duration import parse_duration
from aima.dsl.json import Json
from aima.dsl.node import Mapping
from aima.dsl.signature import JsonSchema
from aima.dsl.types import TEXT
from aima.dsl.values import INVALID
from aima.workflows.constructs import RunningBody
from aima.workflows.duration_modifier import check_duration, literal_text
from aima.workflows.frame import Frame, Node
from aima.workflows.shapes import duration

_EMPTY: JsonSchema = {"type": "object", "additionalProperties": False, "properties": {}}


class Wait(RunningBody):
    """A wait for some time, or until a time; nothing is held meanwhile."""

    keys = ("wait",)

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        until = {
            "type": "object",
            "required": ["until"],
            "additionalProperties": False,
            "properties": {"until": {"type": "string", "description": "A time in ISO 8601."}},
        }
        return {
            "wait": {
                "anyOf": [duration("How long."), until],
                "description": "How long, or until when.",
            }
        }

    def check(self, step: Step, checker: Checker) -> None:
        """Tell what is neither a duration nor a time."""
        said = step.node.entries["wait"].value
        if not isinstance(said, Mapping):
            check_duration(said, checker, parse_duration)
            return
        unknown_keys(said, ("until",), checker.findings, where="`wait`")
        if (until := said.get("until")) is None:
            message = "`wait` needs `until`, or is a duration"
            checker.findings.error(MISSING_KEY, said.mark, message)
            return
        checker.value(until, TEXT)
        if (text := literal_text(until)) is not None:
            try:
                _moment(text)
            except ValueError as error:
                checker.findings.error(INVALID, until, str(error))

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give nothing."""
        del step, checker
        return _EMPTY

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the duration, or the time."""
        return {"wait": compiler.value(step.node.entries["wait"].value)}

    def accept(self, node: Node) -> None:
        """Take any value: it is read when it is evaluated."""
        del node

    async def run(self, node: Node, frame: Frame) -> Json:
        """Sleep; a time in the past is over at once."""
        place = frame.place_of(node)
        said = node.value(frame, "wait")
        if isinstance(said, dict):
            bound = node.read(_moment, said.get("until"), "wait.until") - workflow.now()
        else:
            bound = node.read(parse_duration, said, "wait")
        left = frame.run.until(place, "until", max(bound, timedelta(0)))
        if left > timedelta(0):
            for_time = {"for": "time", "until": place["until"]}
            with frame.run.progress.waiting(node, frame, **for_time):
                await workflow.sleep(left, summary=frame.path_of(node))
        return {}


def _moment(value: Json) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{str(value)[:60]!r} is no time; write 2026-05-01T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


BODY = Wait()
