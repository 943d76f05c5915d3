"""From a document to a plan."""

import json
from datetime import timedelta
from typing import Any

import pytest

from aima.catalog import catalog_of
from aima.dsl.template import evaluator
from aima.gateway.workflows.definitions import Definitions
from aima.unit import Context, Domain
from aima.workflows.bodies.unit import reasons_for_tasks
from aima.workflows.run import Program
from tests.unit.dsl.checking import DEFINITIONS, Everything, Nothing, check, plan


def steps_of(text: str) -> list[dict[str, Any]]:
    """Compile a workflow; give the plan's steps."""
    steps: Any = plan(text).data["steps"]
    return steps  # type: ignore[no-any-return] # a plan is plain data


def only_step(fields: str) -> dict[str, Any]:
    """Compile a workflow with one step."""
    [step] = steps_of(f"name: w\nsteps:\n  - id: a\n    type: made.up\n    {fields}\n")
    return step


def test_a_plan_has_what_a_run_needs_and_nothing_else() -> None:
    """The keys are the format; a new one is a new version of it."""
    compiled = plan("""\
        name: w
        description: for people
        version: "1.0"
        labels: {team: home, b: x}
        inputs: {type: object, properties: {}}
        config: {c: 1}
        steps: [{id: a, type: made.nothing, description: for people}]
        output: ${config.c}
        """).data
    assert list(compiled) == [
        *("format", "name", "version", "labels", "inputs", "config", "steps", "output", "places")
    ]
    assert compiled["format"] == 1
    assert compiled["version"] == "1.0"
    assert compiled["labels"] == ["team=home", "b=x"]
    assert compiled["inputs"] == {"type": "object", "properties": {}}
    assert compiled["config"] == {"c": 1}


def test_what_is_left_out_has_its_empty_value() -> None:
    """Whoever reads a plan never asks whether a key is there."""
    compiled = plan("name: w\nsteps: [{id: a, type: made.nothing}]").data
    assert [compiled[key] for key in ("version", "labels", "inputs", "config", "output")] == [
        *("", [], None, {}, None)
    ]


def test_a_step_carries_its_units_rules() -> None:
    """A run does not depend on the catalogue as it is later."""
    assert only_step("input: {text: x}") == {
        "id": "a",
        "body": "type",
        "at": [3, 9],
        "places": [],
        "unit": "made.up",
        "timeout": 120.0,
        "retry": {
            "max_attempts": 4,
            "delay": 1.0,
            "backoff": 2.0,
            "max_delay": 60.0,
            "non_retryable": [],
        },
        "input": {"text": "x"},
        "after": [],
    }


def test_a_step_without_input_gives_an_empty_map() -> None:
    """A unit is always given a map."""
    [step] = steps_of("name: w\nsteps: [{id: a, type: made.nothing}]")
    assert step["input"] == {}


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ("{}", {"max_attempts": 4, "delay": 1.0, "backoff": 2}),
        ("{max_attempts: 2}", {"max_attempts": 2, "delay": 1.0, "backoff": 2}),
        ("{delay: 3s, backoff: 1.5}", {"max_attempts": 4, "delay": "3s", "backoff": 1.5}),
        ("{delay_seconds: 3}", {"max_attempts": 4, "delay": 3, "backoff": 1}),
        ("{delay_seconds: 3, backoff: 4}", {"max_attempts": 4, "delay": 3, "backoff": 4}),
        ("{non_retryable: [TIMEOUT]}", {"non_retryable": ["TIMEOUT"]}),
    ],
)
def test_a_retry_is_the_units_with_the_authors_words_over_it(
    said: str, policy: dict[str, object]
) -> None:
    """The older `delay_seconds` is a delay that does not grow."""
    step = only_step(f"input: {{text: x}}\n    retry: {said}")
    assert step["retry"] == {
        "max_attempts": 4,
        "delay": 1.0,
        "backoff": 2,
        "max_delay": 60.0,
        "non_retryable": [],
        **policy,
    }


def test_modifiers_stand_under_their_own_keys() -> None:
    """Durations stay as written; expressions are compiled."""
    step = only_step(
        "input: {text: x}\n    timeout: 5s\n    deadline: ${input.d}\n    heartbeat: 1s\n"
        "    on_failure: continue\n    depends_on: []"
    )
    assert (step["timeout"], step["heartbeat"], step["on_failure"]) == ("5s", "1s", "continue")
    assert evaluator(step["deadline"])({"input": {"d": "1h"}}) == "1h"
    assert "depends_on" not in step


def test_expressions_are_compiled_and_everything_else_is_literal() -> None:
    """Also texts that look like compiled expressions."""
    step = only_step("""input: {text: "a ${input.x} b", anything: {$: 1, n: [1.0, null, "$${"]}}""")
    value = evaluator(step["input"])({"input": {"x": 5}})
    assert value == {"text": "a 5 b", "anything": {"$": 1, "n": [1.0, None, "${"]}}


def test_steps_know_what_they_wait_for_in_the_documents_order() -> None:
    """By data and by word alike."""
    steps = steps_of("""\
        name: w
        steps:
          - {id: c, type: made.up, input: {text: "${steps.b.text}"}, depends_on: [a]}
          - {id: b, type: made.up, input: {text: x}}
          - {id: a, type: made.up, input: {text: "${steps.b.text}"}}
        """)
    assert [(step["id"], step["after"]) for step in steps] == [
        ("c", ["b", "a"]),
        ("b", []),
        ("a", ["b"]),
    ]


def test_places_lead_to_the_line_of_each_expression() -> None:
    """A failing run names it; a folded text has its expressions on several lines."""
    [step] = steps_of("""\
        name: w
        steps:
          - id: a
            type: made.up
            timeout: ${input.t}
            input:
              words: [plain, "x ${input.x}${input.y}"]
              text: >
                first line
                and ${input.z}
        """)
    assert step["places"] == [
        [["timeout"], [[2, 5, 16]]],
        [["input", "words", 1], [[4, 7, 27], [14, 7, 37]]],
        [["input", "text"], [[17, 10, 15]]],
    ]


def test_the_output_has_places_too() -> None:
    """It is evaluated last, and may fail like any other."""
    compiled = plan("name: w\nsteps: [{id: a, type: made.nothing}]\noutput: {x: '${input.x}'}\n")
    assert compiled.data["places"] == [[["output", "x"], [[2, 3, 16]]]]


def test_only_a_document_compiles() -> None:
    """Where not even a structure was found there is nothing to compile."""
    with pytest.raises(ValueError, match="only a checked document compiles"):
        DEFINITIONS.plan(check("[]"))


def test_one_unit_alone_is_a_plan_too() -> None:
    """`aima exec` is a workflow of one step whose input is the run's."""
    unit = DEFINITIONS.catalog.get("made.up")
    compiled = DEFINITIONS.single(unit)
    assert compiled.name == "exec"
    assert compiled.data["labels"] == ["unit=made.up"]
    steps: Any = compiled.data["steps"]
    [step] = steps
    assert step["unit"] == "made.up"
    assert evaluator(step["input"])({"input": {"text": "x"}}) == {"text": "x"}
    assert len(Program(json.loads(compiled.text)).nodes) == 1


SHORT = Domain("quick")


@SHORT.query(timeout=timedelta(seconds=5))
async def look(request: Everything, ctx: Context) -> Nothing:
    """Look something up at once."""
    raise NotImplementedError


@SHORT.command(idempotent=True, timeout=timedelta(seconds=1))
async def turn(request: Everything, ctx: Context) -> Nothing:
    """Turn something at once."""
    raise NotImplementedError


@SHORT.query(timeout=timedelta(seconds=6))
async def search(request: Everything, ctx: Context) -> Nothing:
    """Search for something, which may take long."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("unit", "fields", "reason"),
    [
        ("look", "", None),
        ("look", "timeout: 5s", None),
        ("look", "local: true", None),
        ("look", "local: false", "the step says `local: false`"),
        ("look", "timeout: 6s", "its `timeout` is not known to be at most 5 s"),
        ("look", 'timeout: "${config.t}"', "its `timeout` is not known to be at most 5 s"),
        ("look", "queue: there", "`queue` needs one"),
        ("look", "heartbeat: 1s", "`heartbeat` needs one"),
        ("look", "priority: 1", "`priority` needs one"),
        ("look", "cache: {key: x}", "`cache` needs one"),
        ("turn", "", "quick.turn may change something"),
        ("search", "", "quick.search may take longer than 5 s"),
        ("search", "timeout: 1s", "quick.search may take longer than 5 s"),
    ],
)
def test_the_compiler_tells_what_runs_beside_the_workflow(
    unit: str, fields: str, reason: str | None
) -> None:
    """Only what changes nothing and is over soon; an author may forbid it for a step."""
    definitions = Definitions(catalog_of(SHORT))
    text = f"name: w\nconfig: {{t: 1s}}\nsteps:\n  - id: a\n    type: quick.{unit}\n"
    checked = definitions.check(f"{text}    input: {{text: x}}\n    {fields}\n", "w.yaml")
    assert checked.ok, checked.diagnostics
    assert checked.document is not None
    reasons = reasons_for_tasks(checked.document, definitions.signatures)
    assert reasons.get("a") == reason
    steps: Any = definitions.plan(checked).data["steps"]
    assert ("local" in steps[0]) is (reason is None)
