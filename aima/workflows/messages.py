"""What can be sent to a run by name, and what of it is refused to its sender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from temporalio.exceptions import ApplicationError

from aima.dsl.inputs import problems_of
from aima.dsl.json import Json
from aima.workflows.frame import Node
from aima.workflows.mail import Mail

if TYPE_CHECKING:
    from aima.workflows.run import Run

APPROVE = "aima.approve"
"""Answers a wait for approval: ``{step, approved, by, comment?}``."""
EVENT = "aima.event"
"""Tells an event: the step that listens, and the CloudEvent."""
GRANTED = "aima.granted"
"""Grants a slot of a concurrency key: the key."""
LETTER = "aima.letter"
"""Hands a letter on to the part of the run that waits for it: its kind, and it."""

_ADDRESS = re.compile(r"([a-z][a-z0-9_-]*)((?:\[\d+\])*)")


def deliver(mail: Mail, run: Run | None, name: str, args: list[Any]) -> None:
    """Put what was sent where a step finds it; what makes no sense is dropped."""
    match name, args:
        case "aima.event", [str(step), dict(event)]:
            mail.put_events(step, [event])
        case "aima.granted", [str(key)]:
            mail.put(f"granted:{key}", True)
        case "aima.letter", [str(kind), letter]:
            mail.put(kind, letter)
        case "aima.approve", [{"step": str(step), "approved": bool(), "by": str()} as told]:
            answer = {key: told[key] for key in ("approved", "by", "comment") if key in told}
            _send(mail, run, f"approval:{step}", answer)
        case _ if not name.startswith("aima."):
            _send(mail, run, f"signal:{name}", args[0] if args else None)


def refuse(run: Run | None, name: str, args: list[Any]) -> None:
    """Refuse what no step of the run can take.

    Raises:
        ApplicationError: why not.
    """
    if run is None:
        return
    match name, args:
        case "aima.approve", [{"step": str(address), "approved": bool(), "by": str(by)}]:
            _refuse_approval(run, address, by)
        case _ if name.startswith("aima."):
            raise _refusal(f"this is no {name!r}")
        case _:
            _refuse_signal(run, name, args[0] if args else None)


def waits_of(nodes: Iterator[Node], kind: str) -> Iterator[Node]:
    """Walk the steps that wait for a kind of letter: signal, event or approval."""
    return (n for n in nodes if n.body == "wait_for" and kind in n.data["wait_for"])


def _send(mail: Mail, run: Run | None, kind: str, letter: Json) -> None:
    if run is None or not run.hand_on(kind, letter):
        mail.put(kind, letter)


def _refuse_approval(run: Run, address: str, by: str) -> None:
    found = _ADDRESS.fullmatch(address)
    node = run.program.nodes.get(found[1]) if found else None
    if node is None or node.body != "wait_for" or "approval" not in node.data["wait_for"]:
        known = [n.id for n in waits_of(iter(run.program.nodes.values()), "approval")]
        raise _refusal(f"no step {address!r} waits for approval; there is {', '.join(known)}")
    approvers = node.data["wait_for"]["approval"].get("approvers")
    if isinstance(approvers, list) and by not in approvers:
        raise _refusal(f"{by!r} may not approve {address!r}; {', '.join(map(str, approvers))} may")


def _refuse_signal(run: Run, name: str, value: Json) -> None:
    waits = list(waits_of(iter(run.program.nodes.values()), "signal"))
    mine = [node.data["wait_for"] for node in waits if node.data["wait_for"]["signal"] == name]
    if not mine:
        known = ", ".join(dict.fromkeys(str(n.data["wait_for"]["signal"]) for n in waits))
        raise _refusal(f"nothing in this run waits for signal {name!r}; there is {known or 'none'}")
    wrong = [problems_of(value, said["schema"]) for said in mine if said.get("schema")]
    if len(wrong) == len(mine) and all(wrong):
        raise _refusal(f"signal {name!r} does not fit: {'; '.join(wrong[0])}")


def _refusal(message: str) -> ApplicationError:
    return ApplicationError(message, type="VALIDATION_ERROR", non_retryable=True)
