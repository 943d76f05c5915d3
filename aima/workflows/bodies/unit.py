"""``type: unit.name`` + ``input: {…}``: run a unit as an activity.

What units there are is in the [units' reference](../../units/README.md) and in `aima units`. The
input is checked against the unit's own types before anything runs; what it returns is
`steps.ID`. It runs as a Temporal activity under the unit's name, with the unit's own timeout and
retries where the step says nothing.

In a workflow::

    name: ask
    inputs: {type: object, required: [question], properties: {question: {type: string}}}
    steps:
      - id: answer
        type: inference.chat
        input:
          messages: [{role: user, content: "${input.question}"}]
    output: {text: "${steps.answer.content}"}

Tried with::

    input: {question: What is two and two?}
    stand_ins:
      answer:
        output:
          content: Four.
          response: {content: Four.}
          finish_reason: stop
          model: m
          usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2}
    expect: {output: {text: Four.}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE, Document, Step
from aima.dsl.duration import parse_duration
from aima.dsl.json import Json
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping as MappingNode
from aima.dsl.node import Node as Written
from aima.dsl.node import Scalar, to_json
from aima.dsl.signature import JsonSchema, Signature, Signatures
from aima.dsl.types import ANY
from aima.dsl.values import shortened
from aima.workflows.activity import call_of, perform
from aima.workflows.constructs import RunningBody
from aima.workflows.follow import compile_follow, follow
from aima.workflows.frame import Frame, Node

UNKNOWN_UNIT = define("unit/unknown", "No unit has this name.")
BAD_INPUT = define("unit/bad-input", "A unit's `input` is not a map.")

LOCAL_UNDER = timedelta(seconds=5)
"""A unit that may take longer is never run beside the workflow: it would hold up its task."""

_POLICY = frozenset({"max_attempts", "delay", "backoff", "max_delay", "non_retryable"})
_REMOTE_KEYS = ("queue", "heartbeat", "priority", "cache", "stream")


class UnitBody(RunningBody):
    """A step that runs a unit."""

    keys = ("type", "input")
    handles = ("retry", "timeout", "heartbeat", "deadline")

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {
            "type": {"type": "string", "description": "Name of the unit."},
            "input": {"type": "object", "description": "What the unit takes."},
        }

    def check(self, step: Step, checker: Checker) -> None:
        """Tell an unknown unit, and what its input does not fit."""
        check_call(step.node, checker)

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give what the unit declares to return."""
        signature = signature_of(step, checker.signatures)
        return signature.output if signature is not None else ANY

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the unit's name, its input, its defaults, and why it is local if it is."""
        call = compile_call(step.node, compiler)
        signature = compiler.signatures[unit_named(step.node)]
        if reason_for_a_task(step, signature, compiler.document) is None:
            return {**call, "local": f"{signature.name} changes nothing and is quick"}
        return {**call, **compile_follow(step, signature, compiler)}

    def accept(self, node: Node) -> None:
        """Refuse a step of a plan that names no unit."""
        accept_call(node.data)

    async def run(self, node: Node, frame: Frame) -> Json:
        """Run the unit as an activity of its own name."""
        if node.follows and (heard := await follow(node, frame)) is not None:
            return heard
        output = await perform(call_of(node, frame), node, frame, frame.path_of(node))
        if "cache" in node.data:
            hit = cast("dict[str, Json]", output)
            if hit["hit"]:
                frame.run.cached.add(frame.path_of(node))
                frame.run.progress.from_cache(node)
            return hit["output"]
        return output


def check_call(call: MappingNode, checker: Checker) -> None:
    """Tell an unknown unit under ``type``, and an ``input`` that does not fit it."""
    signature = checker.signatures.get(unit_named(call))
    if signature is None:
        _tell_unknown(call.get("type"), call, checker)
        return
    given = call.get("input")
    if given is None:
        given = MappingNode({}, call.mark, call.mark)
    if isinstance(given, MappingNode):
        checker.call(given, signature.input)
    else:
        is_empty = isinstance(given, Scalar) and given.value is None
        hint = "indent what belongs to it, or leave it out" if is_empty else None
        checker.findings.error(BAD_INPUT, given, "`input` is a map of what the unit takes", hint)


def compile_call(call: MappingNode, compiler: Compiler) -> dict[str, Json]:
    """Give the plan of a call: unit, input, defaults, and where secrets belong."""
    signature = compiler.signatures[unit_named(call)]
    given = call.get("input")
    compiled: dict[str, Json] = {
        **unit_defaults(signature),
        "input": compiler.value(given) if given is not None else {},
    }
    secrets = list(_secrets_in(given, compiler)) if given is not None else []
    return {**compiled, "secrets": secrets} if secrets else compiled


def accept_call(data: Any) -> None:  # noqa: ANN401 - a part of a plan from outside
    """Refuse a part of a plan that names no unit.

    Raises:
        ValueError: it does not.
    """
    match data:
        case {"unit": str(), "input": _, "retry": {**policy}} if policy.keys() == _POLICY:
            return
    raise ValueError("it calls no unit")


def unit_named(call: MappingNode) -> str:
    """Name the unit that a call says; empty where it says none."""
    node = call.get("type")
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def signature_of(step: Step, signatures: Signatures) -> Signature | None:
    """Give the signature of the unit that a step runs; None where it runs none that is known."""
    return signatures.get(unit_named(step.node)) if step.body == "type" else None


def reason_for_a_task(step: Step, signature: Signature, document: Document) -> str | None:
    """Tell why a unit needs a task of its own; None where it may run beside the workflow."""
    said = step.get("local")
    if said is not None and to_json(said) is False:
        return "the step says `local: false`"
    if not signature.pure:
        return f"{signature.name} may change something"
    if signature.timeout > LOCAL_UNDER:
        return f"{signature.name} may take longer than {LOCAL_UNDER.total_seconds():g} s"
    for_this_step = step.get("timeout") or document.default("timeout")
    if for_this_step is not None and not _is_short(for_this_step):
        return f"its `timeout` is not known to be at most {LOCAL_UNDER.total_seconds():g} s"
    for key in _REMOTE_KEYS:
        if step.get(key) is not None or document.default(key) is not None:
            return f"`{key}` needs one"
    return None


def reasons_for_tasks(document: Document, signatures: Signatures) -> dict[str, str]:
    """Tell of each step that runs a unit as a task of its own why it does, by its id."""
    found = {}
    for step in document.all_steps:
        signature = signature_of(step, signatures)
        reason = reason_for_a_task(step, signature, document) if signature is not None else None
        if reason is not None:
            found[step.id] = reason
    return found


def _is_short(timeout: Written) -> bool:
    """Tell a duration that is written out and short enough to run beside the workflow."""
    said = to_json(timeout)
    try:
        return parse_duration(said) <= LOCAL_UNDER
    except ValueError:  # computed; or none, which the check has told
        return False


def unit_defaults(signature: Signature) -> dict[str, Json]:
    """Give what a unit brings into a plan where the author is silent; times in seconds."""
    retry = signature.retry
    return {
        "unit": signature.name,
        "timeout": signature.timeout.total_seconds(),
        "retry": {
            "max_attempts": retry.attempts,
            "delay": retry.delay.total_seconds(),
            "backoff": retry.backoff,
            "max_delay": retry.max_delay.total_seconds(),
            "non_retryable": [],
        },
    }


def _secrets_in(given: Written, compiler: Compiler) -> Iterator[Json]:
    """Give the path of each text with a secret in it, and the parts it is made of."""
    declared = compiler.document.get("secrets")
    known = cast("dict[str, str]", to_json(declared)) if declared is not None else {}
    for text in compiler.document.texts(given):
        parts: list[Json] = []
        for part in text.template.parts:
            if isinstance(part, str):
                parts.append(part)
            elif part.reads[0].path[0] == "secrets":
                parts.append({"secret": known[part.reads[0].path[1]]})
            else:
                break
        else:
            yield [list(text.path), parts]


def _tell_unknown(node: Written | None, call: MappingNode, checker: Checker) -> None:
    if not (isinstance(node, Scalar) and isinstance(node.value, str)):
        checker.findings.error(WRONG_TYPE, node or call.mark, "`type` is the name of a unit")
        return
    near = nearest(node.value, checker.signatures) or _of_any_domain(node.value, checker.signatures)
    hint = f"did you mean `{near}`?" if near else "`aima units` lists them"
    checker.findings.error(UNKNOWN_UNIT, node, f"no unit is called `{shortened(node.value)}`", hint)


def _of_any_domain(name: str, known: Iterable[str]) -> str | None:
    """Find a unit by what it does alone: ``chat`` is ``inference.chat``."""
    verb = name.rpartition(".")[2]
    return next((unit for unit in known if unit.rpartition(".")[2] == verb), None)


BODY = UnitBody()
