"""Which events start a run, and with what input."""

import json

import pytest

from aima.dsl.json import Json
from aima.dsl.template import compile_value
from aima.errors import ValidationFailed
from aima.store.events import CloudEvent
from aima.temporal.triggers import EventTrigger, event_triggers

INPUTS: Json = {
    "type": "object",
    "required": ["order"],
    "properties": {"order": {"type": "integer"}, "times": {"type": "integer", "default": 1}},
}
PAID = CloudEvent("e-1", "order.paid", "aima/shop/1", data={"order": 7, "vip": True})


def plan_of(*triggers: Json, inputs: Json = INPUTS) -> str:
    """Give the text of a plan with these triggers."""
    return json.dumps({"name": "ship", "inputs": inputs, "triggers": triggers})


def trigger(
    if_: Json = None, *, type_: str = "order.*", input_: str = "${event.data.order}"
) -> EventTrigger:
    """Make a trigger."""
    event: dict[str, Json] = {"type": type_}
    if if_ is not None:
        event["if"] = compile_value(if_)
    [made] = event_triggers(plan_of({"event": event, "input": compile_value({"order": input_})}))
    return made


def test_the_input_is_made_of_the_event_and_completed() -> None:
    """As any run's input, with the defaults of the workflow."""
    assert trigger().input_for(PAID) == {"order": 7, "times": 1}


def test_an_input_that_does_not_fit_is_refused() -> None:
    """Before a run is started that could only fail."""
    with pytest.raises(ValidationFailed, match="does not fit workflow 'ship'"):
        trigger(input_="${event.type}").input_for(PAID)
    with pytest.raises(ValidationFailed, match="amount"):
        trigger(input_="${event.data.amount}").input_for(PAID)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (None, True),
        (True, True),
        (False, False),
        ("${event.data.vip}", True),
        ("${event.type == 'order.lost'}", False),
        ("${event.source.startsWith('aima/shop/') && event.id == 'e-1'}", True),
    ],
)
def test_the_condition_decides(condition: Json, *, wanted: bool) -> None:
    """Every attribute of the event can be asked for."""
    assert trigger(condition).wants(PAID) is wanted


def test_an_event_of_another_type_is_not_asked_about() -> None:
    """Its data may be of another shape; the condition would fail for nothing."""
    assert not trigger("${event.data.no_such_key}", type_="alert.*").wants(PAID)


@pytest.mark.parametrize("condition", ["${event.data.order}", "${event.data.no_such_key}", "yes"])
def test_a_condition_that_gives_no_boolean_is_told(condition: str) -> None:
    """Nothing is truthy: 7 is neither yes nor no."""
    with pytest.raises(ValidationFailed):
        trigger(condition).wants(PAID)


def test_an_event_names_one_run_of_each_workflow() -> None:
    """Told again it starts nothing; told to another workflow it does."""
    same, again = trigger(), trigger(True)
    other = EventTrigger(
        plan=type(same.plan)({"name": "bill"}), type="", condition=None, input=same.input
    )
    assert same.run_id(PAID) == again.run_id(PAID)
    assert same.run_id(PAID).startswith("ship-ev-")
    assert len(same.run_id(PAID)) == len("ship-ev-") + 26
    digests = {t.run_id(PAID).partition("-ev-")[2] for t in (same, other)}
    assert len(digests) == 2


def test_schedules_are_not_its_business() -> None:
    """Temporal has schedules of its own."""
    both = plan_of({"schedule": {"cron": "0 7 * * *"}, "input": {}}, {"event": {"type": "a.b"}})
    assert [made.type for made in event_triggers(both)] == ["a.b"]
    assert event_triggers(json.dumps({"name": "plain"})) == ()


@pytest.mark.parametrize("text", ["", "[]", '{"triggers": [{"event": {}}]}', '{"triggers": [7]}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    """By errors that the dispatcher knows."""
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
        event_triggers(text)
