"""``triggers: [{schedule} | {event} | {webhook}]``: what starts runs of an applied workflow.

They take effect with `aima apply FILE`, which pins the plan, and end with `aima unapply NAME`. A
`schedule` is a cron line in a time zone; an `event` starts a run for each that fits, once, however
often it is delivered. A `webhook` is a request to `/hooks/WORKFLOW/NAME` that is signed with a
secret of the workflow, as Standard Webhooks has it or, with `signature: hub`, as GitHub does; its
body is `event.data`. `input` is the run's input; that of an event or a webhook may read `event`.

In a workflow::

    name: morning
    inputs: {type: object, properties: {city: {type: string, default: Oslo}}}
    triggers:
      - schedule: {cron: "0 7 * * 1-5", timezone: Europe/Oslo, overlap: skip, jitter: 1m}
      - event: {type: report.wanted, if: "${event.data.urgent == true}"}
        input: {city: "${event.data.city}"}
      - webhook: {name: asked, secret: asking}
        input: {city: "${event.data.city}"}
    secrets: {asking: env:ASKING_SECRET}
    steps:
      - {id: report, set: {text: "Good morning, ${input.city}"}}
    output: {text: "${steps.report.text}"}

Tried with::

    expect: {output: {text: "Good morning, Oslo"}}
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import replace
from typing import Any, cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.cron import BadCron, check_cron, check_timezone
from aima.dsl.diagnostic import define
from aima.dsl.document import MISSING_KEY, WRONG_TYPE, unknown_keys
from aima.dsl.duration import parse_duration
from aima.dsl.json import Json
from aima.dsl.language import Section
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, Node, Scalar, Sequence, to_json
from aima.dsl.roots import EVENT, input_type
from aima.dsl.signature import JsonSchema
from aima.dsl.types import TEXT, Type
from aima.workflows.duration_modifier import check_duration
from aima.workflows.shapes import condition, duration

BAD_WEBHOOK = define("trigger/bad-webhook", "A webhook has no secret, or the name of another.")
BAD_SCHEDULE = define("trigger/bad-schedule", "A schedule is no cron line, or has no such zone.")

_DEFAULT = "default"
_OVERLAPS = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all")
_SCHEDULE: JsonSchema = {
    "type": "object",
    "required": ["cron"],
    "additionalProperties": False,
    "properties": {
        "cron": {**TEXT, "description": "Minute, hour, day, month, day of the week."},
        "timezone": {**TEXT, "default": "UTC", "description": "Such as Asia/Shanghai."},
        "overlap": {
            "enum": list(_OVERLAPS),
            "default": "skip",
            "description": "What happens while an earlier run still goes on.",
        },
        "jitter": duration("Starts are spread over this time."),
        "catchup": duration("How late a missed start may still be made."),
    },
}
_EVENT: JsonSchema = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "description": "Start a run for each event of this type.",
    "properties": {
        "type": {**TEXT, "description": "Its type, such as order.paid."},
        "if": condition("Which of these; it reads `event`."),
    },
}
_WEBHOOK: JsonSchema = {
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "description": "Start a run for each request to /hooks/WORKFLOW/NAME that is signed.",
    "properties": {
        "name": {
            **TEXT,
            "pattern": "^[a-z][a-z0-9_-]{0,63}$",
            "default": _DEFAULT,
            "description": "The end of its address.",
        },
        "secret": {**TEXT, "description": "Which of the workflow's `secrets` signs."},
        "signature": {
            "enum": ["standard", "hub"],
            "default": "standard",
            "description": "Standard Webhooks, or GitHub's X-Hub-Signature-256.",
        },
        "if": condition("Which of these; it reads `event`."),
    },
}
_KINDS = ("schedule", "event", "webhook")
_WRITTEN = {
    "schedule": 'write schedule: {cron: "0 7 * * *"}',
    "event": "write event: {type: order.paid}",
    "webhook": "write webhook: {secret: NAME}, and NAME among the `secrets`",
}


class Triggers(Section):
    """Schedules, events and webhooks; `aima apply` makes them take effect."""

    key = "triggers"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        trigger = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "schedule": {**_SCHEDULE, "description": "Start runs by the clock."},
                "event": _EVENT,
                "webhook": _WEBHOOK,
                "input": {"type": "object", "description": "What the run is given."},
            },
            "oneOf": [{"required": [kind]} for kind in _KINDS],
        }
        return {"type": "array", "items": trigger}

    def check(self, value: Node, checker: Checker) -> None:
        """Tell triggers that start nothing, and inputs that do not fit."""
        if not isinstance(value, Sequence):
            hint = 'write - schedule: {cron: "0 7 * * *"}'
            checker.findings.error(WRONG_TYPE, value, "`triggers` is a list", hint)
            return
        for trigger in value.items:
            kinds = [k for k in _KINDS if isinstance(trigger, Mapping) and k in trigger.entries]
            if not isinstance(trigger, Mapping) or len(kinds) != 1:
                message = "a trigger is a `schedule`, an `event` or a `webhook`"
                checker.findings.error(WRONG_TYPE, trigger, message, _WRITTEN["schedule"])
                continue
            unknown_keys(trigger, (*_KINDS, "input"), checker.findings, where="a trigger")
            said = trigger.entries[kinds[0]].value
            if not isinstance(said, Mapping):
                hint = _WRITTEN[kinds[0]]
                checker.findings.error(WRONG_TYPE, said, f"`{kinds[0]}` is a map", hint)
            elif kinds[0] == "schedule":
                _check_schedule(said, checker)
            elif kinds[0] == "event":
                _check_told(said, _EVENT, checker)
            else:
                _check_told(said, _WEBHOOK, checker)
                _check_secret(said, checker)
            _check_input(trigger, kinds[0], checker)
        _check_names(value, checker)

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give the triggers; times in seconds."""
        triggers = value.items if isinstance(value, Sequence) else ()
        return {"triggers": [_compiled(cast("Mapping", one), compiler) for one in triggers]}


def _compiled(trigger: Mapping, compiler: Compiler) -> dict[str, Json]:
    given = trigger.get("input")
    compiled: dict[str, Json] = {"input": compiler.value(given) if given is not None else {}}
    if (event := trigger.get("event")) is not None:
        return {"event": compiler.value(event), **compiled}
    if (webhook := trigger.get("webhook")) is not None:
        said = {"name": _DEFAULT, "signature": "standard", **_map(compiler.value(webhook))}
        secrets = compiler.document.get("secrets")
        reference = _map(to_json(secrets) if secrets is not None else {})[str(said["secret"])]
        return {"webhook": {**said, "secret": reference}, **compiled}
    schedule = cast("dict[str, Json]", to_json(trigger.entries["schedule"].value))
    for key in ("jitter", "catchup"):
        if key in schedule:
            schedule[key] = parse_duration(schedule[key]).total_seconds()
    return {"schedule": schedule, **compiled}


def _check_schedule(said: Mapping, checker: Checker) -> None:
    checker.literal(said, _SCHEDULE)
    for key, read in (("cron", check_cron), ("timezone", check_timezone)):
        node = said.get(key)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            try:
                read(node.value)
            except BadCron as error:
                checker.findings.error(BAD_SCHEDULE, node, str(error), error.hint)
    for key in ("jitter", "catchup"):
        if (node := said.get(key)) is not None:
            check_duration(node, checker, parse_duration)


def _check_told(said: Mapping, schema: JsonSchema, checker: Checker) -> None:
    """Check what is literal, and the condition, which reads what is told."""
    condition = said.get("if")
    rest = {key: entry for key, entry in said.entries.items() if key != "if"}
    checker.literal(Mapping(rest, said.mark, said.end), schema)
    if condition is not None:
        _told(checker).condition(condition)


def _check_secret(said: Mapping, checker: Checker) -> None:
    """See that what signs is among the workflow's secrets; without one anybody could call."""
    secret, declared = said.get("secret"), checker.document.get("secrets")
    known = declared.entries if isinstance(declared, Mapping) else {}
    if isinstance(secret, Scalar) and isinstance(secret.value, str) and secret.value not in known:
        near = nearest(secret.value, known)
        hint = f"did you mean {near!r}?" if near else "declare it: secrets: {NAME: env:VARIABLE}"
        message = f"the workflow has no secret {secret.value[:60]!r}"
        checker.findings.error(BAD_WEBHOOK, secret, message, hint)


def _check_names(triggers: Sequence, checker: Checker) -> None:
    """Tell webhooks of one name: they would have one address."""
    seen: set[object] = set()
    for trigger in triggers.items:
        said = trigger.get("webhook") if isinstance(trigger, Mapping) else None
        if isinstance(said, Mapping):
            name = said.get("name")
            text = name.value if isinstance(name, Scalar) else _DEFAULT
            if text in seen:
                place, hint = (said if name is None else name), "give each a `name` of its own"
                message = f"two webhooks are named {text!r}"
                checker.findings.error(BAD_WEBHOOK, place, message, hint)
            seen.add(text)


def _map(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _check_input(trigger: Mapping, kind: str, checker: Checker) -> None:
    wanted = input_type(checker.document.get("inputs"))
    given = trigger.get("input")
    if given is None:
        required: Any = wanted.schema.get("required", ())
        if required:
            message = f"a run started by this has no `{required[0]}`"
            checker.findings.error(MISSING_KEY, trigger.mark, message, "add `input`")
        return
    schema: Map[str, Any] = wanted.schema
    if kind == "schedule":
        checker.literal(given, schema)
    else:
        _told(checker).value(given, schema)


def _told(checker: Checker) -> Checker:
    """Read as a trigger does: there is an event, and no run yet."""
    reader = replace(checker.reader, roots={"event": Type.of(EVENT)})
    return replace(checker, reader=reader)


SECTION = Triggers()
