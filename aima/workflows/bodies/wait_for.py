"""``wait_for: {signal | event | approval, timeout}``: wait for somebody or something.

A **signal** is sent by `aima signal RUN NAME`; signals of a name are kept from the start of the
run, and each ends one wait. An **event** is published by `emit`; `if` chooses among those of a
type. An **approval** is a person's yes or no: `aima approve RUN STEP`. In loops, a wait is
addressed `STEP[index]`. Without `timeout` it waits a year; when the time is over it fails with
`TIMEOUT`, or with `on_timeout: continue` leaves `{timed_out: true}`.

In a workflow::

    name: sign-off
    steps:
      - id: review
        wait_for:
          approval: {message: Shall it go out?, approvers: [ann, bob]}
          timeout: 24h
    output: {approved: "${steps.review.approved}", by: "${steps.review.by}"}

Tried with::

    approvals: [{step: review, by: ann, after: 23h}]
    expect: {output: {approved: true, by: ann}}
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import MISSING_KEY, NAME, WRONG_TYPE, Step, unknown_keys
from aima.dsl.duration import parse_bound
from aima.dsl.json import Json
from aima.dsl.node import Mapping, to_json
from aima.dsl.node import Node as Written
from aima.dsl.roots import EVENT, BadSchema, read_schema
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, TEXT, Type
from aima.dsl.values import node_at, shortened
from aima.workflows.activity import ask
from aima.workflows.constructs import RunningBody
from aima.workflows.duration_modifier import check_duration
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node, Place
from aima.workflows.mail import LETTER
from aima.workflows.run import bounded
from aima.workflows.shapes import condition, duration

BAD_SCHEMA = define("wait/bad-schema", "The schema of a signal is no JSON Schema.")

PATIENCE = timedelta(days=365)
"""How long a wait lasts whose author gave no `timeout`."""

_KINDS = ("signal", "event", "approval")
_WRITTEN = {"event": "event: {type: order.paid}", "approval": "approval: {message: …}"}
_MORE = ("timeout", "on_timeout", "schema")
_EVENT: JsonSchema = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "description": "An event to wait for.",
    "properties": {
        "type": {**TEXT, "description": "Its type, such as order.paid."},
        "if": condition("Which of these; it reads `event`."),
    },
}
_APPROVAL: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "description": "A person's yes or no.",
    "properties": {
        "message": {**TEXT, "description": "What is asked."},
        "approvers": {
            "type": "array",
            "items": TEXT,
            "description": "Who may answer; absent: anybody.",
        },
    },
}
_APPROVED: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["approved", "by"],
    "properties": {"approved": {"type": "boolean"}, "by": TEXT, "comment": TEXT},
}


class WaitFor(RunningBody):
    """A wait for a signal, an event, or a person's yes or no; nothing is held meanwhile."""

    keys = ("wait_for",)

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {
            "wait_for": {
                "type": "object",
                "additionalProperties": False,
                "description": "What to wait for, and how long.",
                "properties": {
                    "signal": {
                        "type": "string",
                        "pattern": f"^{NAME.pattern}$",
                        "description": "Name of a signal.",
                    },
                    "event": _EVENT,
                    "approval": _APPROVAL,
                    "timeout": duration("How long to wait; absent: a year."),
                    "on_timeout": {
                        "enum": ["fail", "continue"],
                        "default": "fail",
                        "description": "What happens when nothing came in time.",
                    },
                    "schema": {
                        "type": "object",
                        "description": "JSON Schema of what it must carry.",
                    },
                },
                "oneOf": [{"required": [kind]} for kind in _KINDS],
            }
        }

    def check(self, step: Step, checker: Checker) -> None:
        """Tell a wait for nothing, or for two things."""
        said = step.node.entries["wait_for"].value
        if not isinstance(said, Mapping):
            hint = "write {signal: approve, timeout: 24h}"
            checker.findings.error(WRONG_TYPE, said, "`wait_for` is a map", hint)
            return
        unknown_keys(said, (*_KINDS, *_MORE), checker.findings, where="`wait_for`")
        kinds = [kind for kind in _KINDS if kind in said.entries]
        if len(kinds) != 1:
            message = "a step waits for one of `signal`, `event` and `approval`"
            checker.findings.error(MISSING_KEY, said.mark, message)
            return
        self._check_kind(kinds[0], said.entries[kinds[0]].value, checker)
        if (timeout := said.get("timeout")) is not None:
            check_duration(timeout, checker, parse_bound)
        if (choice := said.get("on_timeout")) is not None:
            checker.literal(choice, {"enum": ["fail", "continue"]})
        if (schema := said.get("schema")) is not None:
            _check_schema(schema, checker)

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give what comes, or that nothing came in time."""
        said = to_json(step.node.entries["wait_for"].value)
        if not isinstance(said, dict):
            return ANY
        data = said.get("schema", ANY)
        came: JsonSchema = {
            "type": "object",
            "additionalProperties": False,
            "required": ["data"],
            "properties": {"data": Type.of(data) if isinstance(data, dict) else ANY},
        }
        if "event" in said:
            came = {**came, "properties": {"data": Type.of(EVENT).child("data") or ANY}}
        if "approval" in said:
            came = _APPROVED
        if said.get("on_timeout") != "continue":
            return came
        timed = {**came["properties"], "timed_out": {"type": "boolean"}}
        return {**came, "properties": timed, "required": []}

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give what to wait for; a schema is literal."""
        said = step.node.entries["wait_for"].value
        assert isinstance(said, Mapping)  # noqa: S101 - the check has seen to it
        return {
            "wait_for": {
                key: to_json(entry.value) if key == "schema" else compiler.value(entry.value)
                for key, entry in said.entries.items()
            }
        }

    def accept(self, node: Node) -> None:
        """Refuse a wait for nothing."""
        if not set(_KINDS) & node.data["wait_for"].keys():
            raise ValueError("it waits for nothing")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Wait; the place keeps what came, and until when to wait."""
        place = frame.place_of(node)
        patience = node.duration(frame, "wait_for", "timeout") or PATIENCE
        left = frame.run.until(place, "until", patience)
        what = {**self._asked(node, frame), "until": place["until"]}
        try:
            with frame.run.progress.waiting(node, frame, **what):
                output = await bounded(
                    self._came(node, frame, place), left, summary=frame.path_of(node)
                )
        except TimeoutError:
            return self._timed_out(node, patience)
        del place[LETTER]
        return output

    @staticmethod
    def _asked(node: Node, frame: Frame) -> dict[str, Json]:
        """Tell what is waited for, for people: the message of an approval, a signal's name."""
        said = node.data["wait_for"]
        kind = next(kind for kind in _KINDS if kind in said)
        key = {"approval": ("message",), "event": ("type",)}.get(kind, ())
        return {"for": kind, "what": node.value(frame, "wait_for", kind, *key)}

    async def _came(self, node: Node, frame: Frame, place: Place) -> Json:
        said, path = node.data["wait_for"], frame.path_of(node)
        if "approval" in said:
            return await frame.run.mail.take(f"approval:{address(node, frame)}", place, path)
        if "signal" in said:
            return {"data": await frame.run.mail.take(f"signal:{said['signal']}", place, path)}
        return {"data": await self._event(node, frame, place)}

    async def _event(self, node: Node, frame: Frame, place: Place) -> Json:
        """Take events until one fits; each comes once, also if it is told twice."""
        run, name = frame.run, address(node, frame)
        if not place.get("listening"):
            given: dict[str, Json] = {
                "step": name,
                "type": node.value(frame, "wait_for", "event", "type"),
                "since": run.state["started_at"],
            }
            answer = await ask("aima.listen", given, node, frame)
            assert isinstance(answer, dict)  # noqa: S101 - the worker's own activity
            place["listening"] = True
            run.mail.put_events(name, answer["events"])
        while True:
            event = await run.mail.take(f"event:{name}", place, frame.path_of(node))
            if "if" not in node.data["wait_for"]["event"]:
                break
            told = replace(frame, roots={**frame.roots, "event": event})
            if node.decides(told, "wait_for", "event", "if"):
                break
            del place[LETTER]
        assert isinstance(event, dict)  # noqa: S101 - a CloudEvent
        return event["data"]

    @staticmethod
    def _timed_out(node: Node, patience: timedelta) -> Json:
        if node.data["wait_for"].get("on_timeout") == "continue":
            return {"timed_out": True}
        message = f"nothing came within {patience.total_seconds():g} s, the `timeout`"
        raise StepFailed(node.error("TIMEOUT", message))

    @staticmethod
    def _check_kind(kind: str, value: Written, checker: Checker) -> None:
        if kind == "signal":
            checker.literal(value, {"type": "string", "pattern": f"^{NAME.pattern}$"})
            return
        if not isinstance(value, Mapping):
            hint = f"write {_WRITTEN[kind]}"
            checker.findings.error(WRONG_TYPE, value, f"`{kind}` is a map", hint)
            return
        condition = value.get("if") if kind == "event" else None
        rest = Mapping(
            {k: e for k, e in value.entries.items() if e.value is not condition},
            value.mark,
            value.end,
        )
        checker.value(rest, _EVENT if kind == "event" else _APPROVAL)
        if condition is not None:
            checker.with_roots(event=Type.of(EVENT)).condition(condition)


def address(node: Node, frame: Frame) -> str:
    """Name a wait for those who answer: its id, and its item in loops, such as ``review[3]``."""
    return node.id + "".join(f"[{index}]" for index in frame.items)


def _check_schema(schema: Written, checker: Checker) -> None:
    if not isinstance(schema, Mapping):
        checker.findings.error(WRONG_TYPE, schema, "`schema` is a JSON Schema")
        return
    try:
        read_schema(schema)
    except BadSchema as error:
        where = node_at(schema, error.path)
        checker.findings.error(BAD_SCHEMA, where, shortened(error.message), error.hint)


BODY = WaitFor()
