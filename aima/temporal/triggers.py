"""Triggers of an applied workflow: which events and requests start a run, and with what input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aima.dsl.inputs import accept_input
from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.dsl.template import Evaluator, evaluator
from aima.errors import ValidationFailed
from aima.store.events import CloudEvent, matches


@dataclass(frozen=True)
class Trigger:
    """What starts a run, compiled.

    Attributes:
        condition: must give True for an event; None: every event will do.
        input: gives the run's input.
    """

    plan: Plan
    condition: Evaluator | None
    input: Evaluator

    def holds(self, event: CloudEvent) -> bool:
        """Tell whether the condition is true of an event.

        Raises:
            ValidationFailed: it gives no boolean, or nothing, for this event.
        """
        verdict = True if self.condition is None else self.condition({"event": event.to_json()})
        if not isinstance(verdict, bool):
            raise ValidationFailed(f"`if` gives {verdict!r}; it must give true or false")
        return verdict

    def input_for(self, event: CloudEvent) -> Json:
        """Give the input of the run that an event starts.

        Raises:
            ValidationFailed: there is none, or it does not fit the workflow.
        """
        return accept_input(self.plan, self.input({"event": event.to_json()}))


@dataclass(frozen=True)
class EventTrigger(Trigger):
    """Starts a run for an event.

    Attributes:
        type: of the events, or how their types begin: ``model.*``.
    """

    type: str

    def wants(self, event: CloudEvent) -> bool:
        """Tell whether an event starts a run.

        Raises:
            ValidationFailed: the condition gives no boolean, or nothing, for this event.
        """
        return matches(self.type, event.type) and self.holds(event)

    def run_id(self, event: CloudEvent) -> str:
        """Name the run that an event starts; told again, it names the same."""
        return f"{self.plan.name}-ev-{_digest(event.id, self.plan.name)}"


@dataclass(frozen=True)
class WebhookTrigger(Trigger):
    """Starts a run for a signed request.

    Attributes:
        name: the end of its address.
        secret: refers to what signs.
        signature: how it is signed: ``standard`` or ``hub``.
    """

    name: str
    secret: str
    signature: str

    def run_id(self, event: CloudEvent) -> str:
        """Name the run that a request starts; sent again, it names the same."""
        return f"{self.plan.name}-wh-{_digest(event.id, self.plan.name, self.name)}"


@lru_cache(maxsize=256)
def event_triggers(plan: str) -> tuple[EventTrigger, ...]:
    """Read the event triggers off a plan's text, once in a process.

    Raises:
        AttributeError, LookupError, TypeError, ValueError, ValidationFailed: it is no plan.
    """
    return tuple(
        EventTrigger(one.plan, one.condition, one.input, type=str(said["type"]))
        for said, one in _of_kind("event", plan)
    )


@lru_cache(maxsize=256)
def webhook_triggers(plan: str) -> tuple[WebhookTrigger, ...]:
    """Read the webhooks off a plan's text, once in a process; raises as for events."""
    return tuple(
        WebhookTrigger(
            one.plan,
            one.condition,
            one.input,
            name=str(said["name"]),
            secret=str(said["secret"]),
            signature=str(said["signature"]),
        )
        for said, one in _of_kind("webhook", plan)
    )


def _of_kind(kind: str, plan: str) -> Iterator[tuple[dict[str, Any], Trigger]]:
    """Give what is said of each trigger of a kind, and what all kinds have."""
    data: dict[str, Any] = json.loads(plan)
    for trigger in data.get("triggers") or ():
        if kind in trigger:
            said = trigger[kind]
            condition = evaluator(said["if"]) if "if" in said else None
            yield said, Trigger(Plan(data), condition, evaluator(trigger.get("input", {})))


def _digest(*parts: str) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:26]
