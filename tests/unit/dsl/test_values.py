"""Values against their types, literals and expressions."""

import pytest

from tests.unit.dsl.checking import check, codes, found, only_hint, only_message


def step(fields: str, before: str = "") -> str:
    """Write a workflow with one step that has these fields, split by `|`, in its input."""
    return (
        "name: w\n"
        f"{before}"
        "steps:\n"
        "  - {id: other, type: made.up, input: {text: x}}\n"
        "  - id: a\n"
        "    type: made.up\n"
        "    input:\n" + "".join(f"      {field}\n" for field in fields.split(" | "))
    )


@pytest.mark.parametrize(
    "fields",
    [
        "text: x",
        "text: ''",
        "text: x | count: 1 | ratio: 2 | flag: true | words: [a, b] | parts: [{label: x}]",
        "text: x | count: null",
        "text: x | count: ${steps.other.number}",
        "text: x | either: 5",
        "text: x | either: five",
        "text: x | anything: {what: [ever, 1.5, null, true]}",
        "text: x | recording: ${steps.other.recording}",
        "text: x | recording: {artifact: sha256:" + "a" * 64 + ", media_type: a/b, bytes: 1}",
        "text: ${steps.other.text} | parts: ['${steps.other.part}']",
        "text: x | parts: [{label: '${steps.other.text}'}]",
        "text: x | recording: {artifact: '${input.a}', media_type: a/b, bytes: 1}",
        "text: ${input.anything.at.all} | words: ${input.list}",
        "text: 'n = ${steps.other.number}, l = ${steps.other.list}, p = ${steps.other.part}'",
        "text: ${run.id}",
        "text: $${not.an.expression}",
        "text: x | words: ${[1, 2].map(n, string(n))}",
    ],
)
def test_what_fits_is_not_complained_about(fields: str) -> None:
    """False alarms teach people to ignore alarms."""
    assert codes(step(fields)) == []


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ("text: 5", "value/type-mismatch", "this is a whole number, and text is wanted"),
        (
            "text: x | count: one",
            "value/type-mismatch",
            "this is text, and a whole number is wanted",
        ),
        (
            "text: x | flag: 'true'",
            "value/type-mismatch",
            "this is text, and true or false is wanted",
        ),
        ("text: x | words: a", "value/type-mismatch", "this is text, and a list is wanted"),
        ("text: x | words: {a: b}", "value/type-mismatch", "this is a map, and a list is wanted"),
        ("text: [x]", "value/type-mismatch", "this is a list, and text is wanted"),
        ("text: ['${input.x}']", "value/type-mismatch", "this is a list, and text is wanted"),
        ("text: {a: '${input.x}'}", "value/type-mismatch", "this is a map, and text is wanted"),
        (
            "text: x | recording: {artifact: a.wav, media_type: a/b, bytes: 1}",
            "value/invalid",
            "'a.wav' does not match",
        ),
        ("text: x | recording: q.wav", "value/type-mismatch", "text, and an artifact is wanted"),
        ("text: ${steps.other.number}", "value/type-mismatch", "a number, and text is wanted"),
        ("text: ${steps.other}", "value/type-mismatch", "this is a map, and text is wanted"),
        ("text: ${steps.other.recording}", "value/type-mismatch", "an artifact, and text is"),
        ("text: x | words: 'a ${input.x}'", "value/type-mismatch", "text, and a list is wanted"),
        ("text: x | count: 0", "value/invalid", "0 is less than the minimum of 1"),
        ("text: x | words: [a, b, c, d]", "value/invalid", "is too long"),
        ("text: x | words: [a, b, c, '${input.x}']", "value/invalid", "is too long"),
        (
            "text: x | either: true",
            "value/type-mismatch",
            "this is true or false, and a whole number or text is wanted",
        ),
        ("text: x | parts: [{weight: 1}]", "value/missing-field", "`label` is missing"),
        ("words: []", "value/missing-field", "`text` is missing"),
        ("text: x | wrods: []", "value/unknown-field", "there is no `wrods`"),
        ("text: x | parts: [{label: x, size: 1}]", "value/unknown-field", "there is no `size`"),
        ("text: ${oops", "expression/syntax", "this `${` is not closed"),
        ("text: ${1 +}", "expression/syntax", "a value is wanted here"),
        ("text: ${step.other.text}", "expression/unknown-root", "nothing is called `step` here"),
        ("text: ${secret.key}", "expression/unknown-root", "nothing is called `secret` here"),
        ("text: ${steps.othr.text}", "expression/unknown-step", "there is no step `othr`"),
        ("text: ${steps.other.txt}", "expression/unknown-field", "there is no field `txt`"),
        ("text: ${steps.other.part.x}", "expression/unknown-field", "there is no field `x`"),
        ("text: ${steps.other.text.x}", "expression/unknown-field", "there is no field `x`"),
        ("text: ${run.started}", "expression/unknown-field", "there is no field `started`"),
        ("text: ${config.x}", "expression/unknown-field", "there is no field `x`"),
    ],
)
def test_what_cannot_fit_is_told(fields: str, code: str, message: str) -> None:
    """In the words of the language, not of JSON Schema, where there are some."""
    text = step(fields)
    assert codes(text) == [code]
    assert message in only_message(text)


def test_mistakes_inside_text_are_told_where_they_stand() -> None:
    """The column is that of the reference, not of the value's beginning."""
    text = (
        "name: w\nsteps:\n  - id: a\n    type: made.up\n    input:\n      text: >-\n"
        "        A long text\n        with ${input.fine} and ${stepz.bad.x}\n"
    )
    assert found(text) == [("expression/unknown-root", 8, 34)]


def test_a_text_with_several_mistakes_has_several_diagnostics() -> None:
    """One for each reference."""
    assert codes(step("text: '${steps.b.x} ${steps.c.x} ${foo}'")) == [
        "expression/unknown-step",
        "expression/unknown-step",
        "expression/unknown-root",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        "text: \"${has(steps.other.maybe.label) ? 'a' : 'b'}\"",
        "text: \"${steps.other.?oops.orValue('x')}\"",
        "text: \"${has(steps.other.oops) ? steps.other.oops : 'x'}\"",
    ],
)
def test_what_is_guarded_may_be_missing(fields: str) -> None:
    """The author has thought of it; the run will not fail there."""
    assert codes(step(fields)) == []


def test_config_is_known_as_it_is_written() -> None:
    """Its keys, and the types of its values."""
    before = "config: {voice: en, n: 5, deep: {a: [1]}}\n"
    assert codes(step("text: '${config}'", before)) == ["value/type-mismatch"]
    assert codes(step("text: '${config.voice} ${config.n} ${config.deep.a}'", before)) == []
    used = "'${config.voice}${config.n}${config.deep}'"
    assert codes(step(f"text: {used} | words: '${{config.n}}'", before)) == ["value/type-mismatch"]
    assert only_hint(step(f"text: {used} | anything: '${{config.voize}}'", before)) == (
        "did you mean `voice`?"
    )
    assert codes(step(f"text: {used} | anything: '${{config.deep.b}}'", before)) == [
        "expression/unknown-field"
    ]


INPUTS = """\
inputs:
  type: object
  required: [must]
  properties:
    must: {type: string}
    may: {type: string}
    filled: {type: string, default: x}
    deep: {type: object, default: {}, properties: {inner: {type: string}}}
"""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("text: '${input.must} ${input.filled}'", []),
        ("text: ${input.may}", ["expression/may-be-absent"]),
        ("text: '${input.deep.inner}'", ["expression/may-be-absent"]),
        ("text: \"${has(input.may) ? input.may : 'x'}\"", []),
        ("text: \"${input.?may.orValue('x')}\"", []),
        ("text: \"${!has(input.may) || input.may == 'x' ? 'a' : 'b'}\"", []),
        ("text: \"${has(input.must) ? input.may : 'x'}\"", ["expression/may-be-absent"]),
        ("text: ${input.other}", ["expression/unknown-field"]),
        ("text: x | words: ${input.must}", ["value/type-mismatch"]),
    ],
)
def test_an_input_that_nobody_must_give_needs_a_guard(fields: str, expected: list[str]) -> None:
    """It works while the author tries it, and fails for the first who leaves it out."""
    found_codes = codes(step(fields, INPUTS))
    assert [code for code in found_codes if code != "inputs/unused"] == expected


def test_hints_name_the_nearest_or_the_first_few() -> None:
    """A list of a thousand steps is no hint."""
    assert only_hint(step("text: ${steps.othr.text}")) == "did you mean `other`?"
    assert only_hint(step("text: ${steps.zzz.text}")) == "there is `other`, `a`"
    many = "".join(f"  - {{id: s{n}, type: made.nothing}}\n" for n in range(100))
    hint = only_hint(step("text: ${steps.zzzzzz.text}") + many)
    assert hint is not None
    assert hint.endswith("`s7`, …")


def test_a_long_value_in_a_message_is_cut() -> None:
    """The place shows it anyhow."""
    text = step("text: x | either: {" + ", ".join(f"k{n}: {n}" for n in range(500)) + "}")
    assert len(only_message(text)) < 250


def test_a_literal_place_takes_no_expression() -> None:
    """What a failure does to the run must be known before it."""
    text = "name: w\nsteps:\n  - {id: a, type: made.nothing, on_failure: '${input.x}'}\n"
    assert found(text) == [("expression/not-allowed", 3, 45)]


def test_merged_and_aliased_values_are_checked_like_written_ones() -> None:
    """An anchor saves typing, not checking."""
    checked = check("""\
        name: w
        steps:
          - {id: a, type: made.up, input: &in {text: x, cuont: 1}}
          - id: b
            type: made.up
            input:
              <<: *in
              flag: 5
        """)
    assert [(d.code, d.line) for d in checked.diagnostics] == [
        ("value/unknown-field", 3),
        ("value/type-mismatch", 8),
    ]
