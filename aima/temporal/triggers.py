"""Event triggers of an applied workflow: which events start a run of it, and with what input."""

from __future__ import annotations

import hashlib
import json
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
class EventTrigger:
    """What starts a run, compiled.

    Attributes:
        type: of the events, or how their types begin: ``model.*``.
        condition: must give True for an event; None: every event will do.
        input: gives the run's input.
    """

    plan: Plan
    type: str
    condition: Evaluator | None
    input: Evaluator

    def wants(self, event: CloudEvent) -> bool:
        """Tell whether an event starts a run.

        Raises:
            ValidationFailed: the condition gives no boolean, or nothing, for this event.
        """
        if not matches(self.type, event.type):
            return False
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

    def run_id(self, event: CloudEvent) -> str:
        """Name the run that an event starts; told again, it names the same."""
        digest = hashlib.sha256((event.id + self.plan.name).encode()).hexdigest()
        return f"{self.plan.name}-ev-{digest[:26]}"


@lru_cache(maxsize=256)
def event_triggers(plan: str) -> tuple[EventTrigger, ...]:
    """Read the event triggers off a plan's text, once in a process.

    Raises:
        AttributeError, LookupError, TypeError, ValueError, ValidationFailed: it is no plan.
    """
    data: dict[str, Any] = json.loads(plan)
    return tuple(
        EventTrigger(
            plan=Plan(data),
            type=str(trigger["event"]["type"]),
            condition=evaluator(trigger["event"]["if"]) if "if" in trigger["event"] else None,
            input=evaluator(trigger.get("input", {})),
        )
        for trigger in data.get("triggers") or ()
        if "event" in trigger
    )
