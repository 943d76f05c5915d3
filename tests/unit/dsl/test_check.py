"""The checker as a whole: what holds between the parts of a workflow."""

import pytest

from aima.dsl.check import MOST_FINDINGS
from aima.dsl.diagnostic import Severity
from tests.unit.dsl.checking import (
    calls_of,
    check,
    codes,
    found,
    only_hint,
    only_message,
    plan,
)

# --- labels, config, inputs -----------------------------------------------------------------

STEP = "steps: [{id: a, type: made.up, input: {text: '${input} ${config}'}}]\n"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("{}", []),
        ("{team: home, tier: '2'}", []),
        ("{team: 5}", ["document/bad-label"]),
        ("{team: [a]}", ["document/bad-label"]),
        ("{team: }", ["document/bad-label"]),
        ("{team: '${run.id}'}", ["expression/not-allowed"]),
        ("{team: " + "x" * 250 + "}", []),
        ("{team: " + "x" * 251 + "}", ["document/bad-label"]),
        ("{team: " + "ä" * 126 + "}", ["document/bad-label"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_label_is_short_text(labels: str, expected: list[str]) -> None:
    """Temporal's search attributes take 255 bytes, and refuse the run otherwise."""
    assert codes(f"name: w\nlabels: {labels}\n{STEP}") == expected


def test_config_holds_values_not_expressions() -> None:
    """They would stay the text they are, `$` and braces included."""
    text = f"name: w\nconfig: {{a: {{b: ['x ${{input.y}}']}}, c: $${{fine}}}}\n{STEP}"
    assert codes(text.replace("$${fine}", "'$${fine}'")) == ["expression/not-allowed"]


@pytest.mark.parametrize(
    "inputs",
    [
        "{type: object, properties: {a: {type: txt}}}",
        "{type: object, properties: {a: {pattern: '['}}}",
        "{type: object, properties: [a]}",
        "{type: object, required: a}",
        "{type: string}",
        "{properties: {a: {}}}",
        "{type: [[object]]}",
        "{type: object, properties: {a: {$ref: 'http://127.0.0.1:9/x.json'}}}",
        "{type: object, properties: {a: {$ref: '#/$defs/nobody'}}}",
    ],
)
def test_inputs_that_are_no_schema_of_an_object_are_told_once(inputs: str) -> None:
    """And reading `input` is not complained about on top."""
    assert codes(f"name: w\ninputs: {inputs}\n{STEP}") == ["inputs/bad-schema"]


def test_bad_inputs_are_told_also_where_no_step_is_any_good() -> None:
    """Every mistake at once means every mistake."""
    text = "name: w\ninputs: {type: string}\nsteps: [{id: a, type: who.knows}]"
    assert sorted(codes(text)) == ["inputs/bad-schema", "unit/unknown"]


def test_what_nobody_reads_is_a_warning() -> None:
    """Probably a typing mistake, yet the workflow runs."""
    checked = check("""\
        name: w
        inputs: {type: object, required: [a, b], properties: {a: {}, b: {}}}
        config: {c: 1, d: 2}
        steps: [{id: s, type: made.up, input: {text: "${input.a} ${config.c}"}}]
        """)
    assert checked.ok
    assert [(d.code, d.message, d.severity) for d in checked.diagnostics] == [
        ("inputs/unused", "nothing reads `input.b`", Severity.warning),
        ("config/unused", "nothing reads `config.d`", Severity.warning),
    ]


@pytest.mark.parametrize("text", ["${input}${config}", "${toJson(input)}${keys(config)}"])
def test_who_reads_everything_leaves_nothing_unused(text: str) -> None:
    """What happens to the parts cannot be known."""
    assert (
        codes(
            "name: w\ninputs: {type: object, properties: {a: {}}}\nconfig: {c: 1}\n"
            f"steps: [{{id: s, type: made.up, input: {{text: '{text}'}}}}]"
        )
        == []
    )


# --- order ----------------------------------------------------------------------------------


def test_steps_in_a_circle_are_named_in_their_order() -> None:
    """The author sees which of the arrows to remove."""
    text = """\
        name: w
        steps:
          - {id: a, type: made.up, input: {text: "${steps.c.text}"}}
          - {id: b, type: made.up, input: {text: x}, depends_on: [a]}
          - {id: c, type: made.up, input: {text: "${steps.b.text}"}}
          - {id: d, type: made.up, input: {text: "${steps.c.text}"}}
        """
    assert found(text) == [("step/cycle", 3, 10)]
    assert only_message(text) == "steps wait for each other: a → c → b → a"


def test_a_long_circle_is_told_short() -> None:
    """Its first steps show where it is."""
    steps = "".join(
        f"  - {{id: s{n}, type: made.nothing, depends_on: [s{(n + 1) % 50}]}}\n" for n in range(50)
    )
    message = only_message(f"name: w\nsteps:\n{steps}")
    assert message.startswith("steps wait for each other: s0 → s1 → ")
    assert message.endswith("s8 → … → s0")


@pytest.mark.parametrize("read", ["steps", "keys(steps)", "steps[input.which].text"])
def test_a_step_cannot_read_all_steps_at_once(read: str) -> None:
    """Which of them are done depends on which was faster; the run's output may."""
    text = (
        "name: w\nsteps: [{id: a, type: made.up, input: {anything: '${" + read + "}', text: x}}]\n"
    )
    assert codes(text) == ["step/reads-all"]
    assert codes(f"name: w\n{STEP}output: ${{{read}}}\n") == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[a]", []),
        ("[]", []),
        ("[a, a]", []),
        ("a", ["document/wrong-type"]),
        ("{a: 1}", ["document/wrong-type"]),
        ("[c]", ["order/unknown-step"]),
        ("[5, null]", ["order/unknown-step", "order/unknown-step"]),
        ("[[a]]", ["order/unknown-step"]),
        ("['${input.x}']", ["order/unknown-step"]),
    ],
)
def test_depends_on_lists_steps_that_exist(value: str, expected: list[str]) -> None:
    """A misspelt one would order nothing."""
    assert (
        codes(
            "name: w\nsteps:\n  - {id: a, type: made.nothing}\n"
            f"  - {{id: b, type: made.nothing, depends_on: {value}}}\n"
        )
        == expected
    )


# --- units and modifiers --------------------------------------------------------------------


def modified(modifier: str, unit: str = "made.nothing", more: str = "") -> str:
    """Write a workflow with a step that has this modifier."""
    return f"name: w\nsteps:\n  - id: a\n    type: {unit}\n    {modifier}\n{more}"


@pytest.mark.parametrize(
    ("unit", "hint"),
    [("made.upp", "did you mean `made.up`?"), ("other.thing", "`aima units` lists them")],
)
def test_an_unknown_unit_is_told_with_the_nearest(unit: str, hint: str) -> None:
    """And its input is not complained about: nothing is known of it."""
    text = f"name: w\nsteps: [{{id: a, type: {unit}, input: {{any: thing}}}}]"
    assert codes(text) == ["unit/unknown"]
    assert only_hint(text) == hint


@pytest.mark.parametrize("unit", ["5", "[made.up]", "{}", ""])
def test_a_type_is_a_name(unit: str) -> None:
    """Anything else is told as what it is."""
    assert codes(f"name: w\nsteps:\n  - id: a\n    type: {unit}\n") == ["document/wrong-type"]


def test_a_step_after_an_unknown_unit_may_read_anything_of_it() -> None:
    """One mistake, one message."""
    text = """\
        name: w
        steps:
          - {id: a, type: who.knows}
          - {id: b, type: made.up, input: {text: "${steps.a.what.ever}"}}
        """
    assert codes(text) == ["unit/unknown"]


@pytest.mark.parametrize("key", ["timeout", "deadline", "heartbeat"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10s", []),
        ("PT10S", []),
        ("${config.time}", []),
        ("10", ["value/bad-duration"]),
        ("1.5", ["value/bad-duration"]),
        ("0s", ["value/bad-duration"]),
        ("soon", ["value/bad-duration"]),
        ("20y", ["value/bad-duration"]),
        ("true", ["value/type-mismatch"]),
        ("[10s]", ["value/type-mismatch"]),
        ("${input", ["expression/syntax"]),
        ("${config.n}", ["value/type-mismatch"]),
    ],
)
def test_a_bound_is_a_duration_or_an_expression_for_one(
    key: str, value: str, expected: list[str]
) -> None:
    """Whether a number means seconds or minutes is nobody's guess."""
    text = modified(f"{key}: {value}", more="config: {time: 10s, n: 5}\n")
    assert [code for code in codes(text) if code != "config/unused"] == expected


def test_a_bare_number_is_told_with_its_unit() -> None:
    """The way out, ready to be typed."""
    assert only_hint(modified("timeout: 30")) == "write 30s if seconds are meant"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("heartbeat: 2m", ["heartbeat/too-long"]),
        ("heartbeat: 119s", []),
        ("{heartbeat: 10s, timeout: 10s}", ["heartbeat/too-long"]),
        ("{heartbeat: 10s, timeout: 11s}", []),
        ("{heartbeat: 3m, timeout: 4m}", []),
        ("{heartbeat: 3m, timeout: '${config.t}'}", []),
        ("{heartbeat: '${config.t}'}", []),
        ("{heartbeat: 3m, timeout: soon}", ["value/bad-duration"]),
    ],
)
def test_a_heartbeat_is_shorter_than_the_timeout(said: str, expected: list[str]) -> None:
    """Otherwise it bounds nothing; the unit's own timeout is two minutes."""
    lines = said.strip("{}").split(", ") if said.startswith("{") else [said]
    text = modified("\n    ".join(["input: {text: x}", *lines]), "made.up", "config: {t: 1m}\n")
    assert [code for code in codes(text) if code != "config/unused"] == expected


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ("{}", []),
        ("{max_attempts: 3, delay: 1s, backoff: 1.5, max_delay: 1m}", []),
        ("{max_attempts: 3, delay_seconds: 0}", []),
        ("{delay: 0s}", []),
        ("{non_retryable: [TIMEOUT, MODEL_NOT_FOUND]}", []),
        ("{max_attempts: '${config.n}'}", []),
        ("5", ["document/wrong-type"]),
        ("[3]", ["document/wrong-type"]),
        ("{max_attempts: 0}", ["value/invalid"]),
        ("{max_attempts: 3000000000}", ["value/invalid"]),
        ("{max_attempts: three}", ["value/type-mismatch"]),
        ("{max_attempts: 2.5}", ["value/type-mismatch"]),
        ("{backoff: 0.5}", ["value/invalid"]),
        ("{delay: soon}", ["value/bad-duration"]),
        ("{delay: 5}", ["value/bad-duration"]),
        ("{max_delay: 11000000h}", ["value/bad-duration"]),
        ("{delay_seconds: -1}", ["value/invalid"]),
        ("{delay_seconds: 5s}", ["value/type-mismatch"]),
        ("{delay_seconds: 1000000000}", ["value/invalid"]),
        ("{non_retryable: TIMEOUT}", ["value/type-mismatch"]),
        ("{non_retryable: [5]}", ["value/type-mismatch"]),
        ("{attempts: 3}", ["document/unknown-key"]),
    ],
)
def test_a_retry_is_a_policy(retry: str, expected: list[str]) -> None:
    """What Temporal would refuse is refused while the author looks."""
    text = modified(f"retry: {retry}", more="config: {n: 3}\n")
    assert [code for code in codes(text) if code != "config/unused"] == expected


def test_retrying_what_must_not_be_repeated_is_a_warning() -> None:
    """The record of effects guards it as far as a record can; the author should know."""
    text = modified("input: {label: x}\n    retry: {max_attempts: 5}", "made.once")
    checked = check(text)
    assert [d.code for d in checked.diagnostics] == ["retry/not-idempotent"]
    assert checked.ok


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("abort", []),
        ("continue", []),
        ("retry", []),
        ("ignore", ["value/invalid"]),
        ("true", ["value/invalid"]),
        ("[abort]", ["value/type-mismatch"]),
        ("", ["value/invalid"]),
    ],
)
def test_on_failure_is_one_of_three_words(word: str, expected: list[str]) -> None:
    """`None` of YAML, an empty value, is none of them."""
    assert codes(modified(f"on_failure: {word}")) == expected


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("steps.a.error.code", []),
        ("steps.a.error", []),
        ("steps.a.text", []),
        ("steps.a.error.line", []),
        ("steps.a.error.stack", ["expression/unknown-field"]),
        ("steps.a.txt", ["expression/unknown-field"]),
        ("steps.b.error", ["expression/unknown-field"]),
    ],
)
def test_after_continue_a_step_may_have_an_error(read: str, expected: list[str]) -> None:
    """Workflows of the earlier system read `.error`; others have none."""
    text = f"""\
name: w
steps:
  - {{id: a, type: made.up, input: {{text: x}}, on_failure: continue}}
  - {{id: b, type: made.up, input: {{text: x}}}}
  - {{id: c, type: made.up, input: {{text: "text: ${{{read}}}"}}}}
"""
    assert codes(text) == expected


# --- all of it ------------------------------------------------------------------------------


def test_endless_mistakes_end() -> None:
    """A file with ten thousand of them needs one message: wrong file."""
    steps = "".join(f"  - {{id: s{n}, type: made.up, input: {{a: 1}}}}\n" for n in range(500))
    assert len(check(f"name: w\nsteps:\n{steps}").diagnostics) == MOST_FINDINGS


def test_twice_the_lines_are_twice_the_work() -> None:
    """A file of ten thousand lines takes half a second; what is quadratic in it takes minutes."""

    def calls(count: int) -> int:
        steps = "".join(
            f"  - id: s{n}\n    type: made.up\n    timeout: 30s\n    retry: {{max_attempts: 3}}\n"
            f"    input:\n      text: 'hello ${{{f'steps.s{n - 1}.text' if n else 'input.q'}}}'\n"
            "      parts:\n        - label: ${config.m}\n          weight: 2.5\n      ratio: 0.5\n"
            for n in range(count)
        )
        return calls_of(lambda: plan(f"name: w\nconfig: {{m: x}}\nsteps:\n{steps}").hash)

    assert calls(200) < 2.3 * calls(100)


def test_a_long_chain_of_computed_values_is_no_recursion() -> None:
    """Each step's type is that of the one before; five hundred are a normal generated file."""
    steps = ['  - {id: s0, set: {x: "${input.n}"}}']
    steps += [f'  - {{id: s{n}, set: {{x: "${{steps.s{n - 1}.x}}"}}}}' for n in range(1, 500)]
    assert codes("name: w\nsteps:\n" + "\n".join(steps)) == []


def test_the_undo_of_an_item_knows_the_item_though_an_earlier_step_has_an_undo() -> None:
    """What is known of the names of one step is found once, and only shared when it is whole."""
    text = """
name: w
steps:
  - {id: a, type: made.up, compensate: {type: made.up, input: {of: "${steps.a.x}"}}}
  - id: b
    depends_on: [a]
    for_each: {in: [1, 2]}
    type: made.up
    compensate: {type: made.up, input: {of: "${item}"}}
"""
    assert codes(text) == codes(text.replace("${item}", "1"))
