"""The structure of a workflow file."""

import pytest

from aima.dsl.document import MOST_STEPS
from tests.unit.dsl.checking import check, codes, found, only_hint, only_message

STEPS = "steps: [{id: a, type: made.nothing}]\n"


def test_only_name_and_steps_are_required() -> None:
    """The smallest workflow is two lines."""
    assert codes(f"name: w\n{STEPS}") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", [("document/wrong-type", 1, 1)]),
        ("just text", [("document/wrong-type", 1, 1)]),
        ("{}", [("document/missing-key", 1, 1), ("document/missing-key", 1, 1)]),
        ("name: w", [("document/missing-key", 1, 1)]),
        ("name: w\nsteps:", [("document/wrong-type", 2, 7)]),
        ("name: w\nsteps: []", [("document/wrong-type", 2, 8)]),
        ("name: w\nsteps: {a: 1}", [("document/wrong-type", 2, 8)]),
        ("name: w\nsteps: [5]", [("document/wrong-type", 2, 9)]),
        (f"name: 5\n{STEPS}", [("document/wrong-type", 1, 7)]),
        (f"name: w\nlabels: []\n{STEPS}", [("document/wrong-type", 2, 9)]),
        (f"name: w\ninputs: 5\n{STEPS}", [("document/wrong-type", 2, 9)]),
        (f"name: w\nconfig:\n{STEPS}", [("document/wrong-type", 2, 8)]),
        (f"name: w\nversion: 1.0\n{STEPS}", [("document/wrong-type", 2, 10)]),
        ("name: w\nsteps: [{type: made.nothing}]", [("document/missing-key", 2, 9)]),
        ("name: w\nsteps: [{id: 5, type: made.nothing}]", [("document/wrong-type", 2, 14)]),
        ("name: w\nsteps: [{id: [], type: made.nothing}]", [("document/wrong-type", 2, 14)]),
        ("name: w\nsteps: [{id: a}]", [("step/no-body", 2, 9)]),
        ("name: w\nsteps: [{id: a, input: {}}]", [("step/no-body", 2, 9)]),
    ],
)
def test_what_is_not_there_or_of_another_type_is_told_at_its_place(
    text: str, expected: list[tuple[str, int, int]]
) -> None:
    """Each with one diagnostic, and no follow-up that only confuses."""
    assert found(text) == expected


def test_every_mistake_is_told_not_only_the_first() -> None:
    """Mending a file one message at a time is what compilers of the seventies did."""
    assert codes("""\
name: Not A Name
titel: x
steps:
  - {id: B, type: made.nothing}
  - {type: made.nothing}
  - {id: c}
  - {id: c, type: made.up, input: {txt: x}}
  - {id: c, type: made.nothing}
""") == [
        "document/bad-name",
        "document/unknown-key",
        "document/bad-name",
        "document/missing-key",
        "step/no-body",
        "value/missing-field",
        "value/unknown-field",
        "step/duplicate-id",
    ]


def test_an_unknown_key_is_told_with_the_nearest() -> None:
    """Also one of a step; far ones get the list."""
    assert only_hint(f"name: w\nconfg: {{}}\n{STEPS}") == "did you mean `config`?"
    step = "name: w\nsteps: [{id: a, type: made.nothing, heartbeet: 1s}]"
    assert only_hint(step) == "did you mean `heartbeat`?"
    far = only_hint(f"name: w\nquux: 1\n{STEPS}")
    assert far is not None
    assert far.startswith("known are name, description, version, ")
    assert far.endswith(", steps, output")


@pytest.mark.parametrize("name", ["a", "voice-assistant", "voice_assistant", "a1", "x" * 100])
def test_a_name_is_lower_case_letters_digits_underscores_and_hyphens(name: str) -> None:
    """It becomes a workflow type, an id's beginning and a file's name."""
    assert codes(f"name: {name}\n{STEPS}") == []


@pytest.mark.parametrize(
    "name", ["''", "Voice", "voice assistant", "1st", "-a", "_a", "ä", "a.b", "a/b", "x" * 101]
)
def test_any_other_name_is_refused(name: str) -> None:
    """A name of a thousand letters would be refused by Temporal, once the run is on its way."""
    assert codes(f"name: {name}\n{STEPS}") == ["document/bad-name"]
    assert codes(f"name: w\nsteps: [{{id: {name}, type: made.nothing}}]") == ["document/bad-name"]


def test_a_long_name_is_told_short() -> None:
    """The message fits a line."""
    assert len(only_message(f"name: {'x' * 5000}\n{STEPS}")) < 100


def test_a_duplicate_id_names_the_line_of_the_first() -> None:
    """They may be a thousand lines apart."""
    text = "name: w\nsteps:\n  - {id: a, type: made.nothing}\n  - {id: a, type: made.nothing}"
    assert found(text) == [("step/duplicate-id", 4, 10)]
    assert only_message(text) == "step id `a` is taken by the step on line 3"


def test_a_workflow_has_no_more_steps_than_one_history_holds() -> None:
    """Temporal would terminate the run somewhere in the middle, and nothing could catch it."""
    text = "name: w\nsteps:\n" + "".join(
        f"  - {{id: s{n}, type: made.nothing}}\n" for n in range(MOST_STEPS)
    )
    assert codes(text) == []
    too_many = text + "  - {id: more, type: made.nothing}\n"
    assert found(too_many) == [("document/too-many-steps", MOST_STEPS + 3, 5)]
    assert MOST_STEPS * 6 < 51_200


def test_equal_texts_are_parsed_once() -> None:
    """A thousand steps that say `${config.model}` cost one expression."""
    document = check("name: w\nsteps: [{id: a, type: made.nothing}]").document
    assert document is not None
    assert document.template("${input.x}") is document.template("${input.x}")


def test_texts_with_expressions_are_found_with_the_way_to_them() -> None:
    """The order of steps, the check and the places in a plan all walk them."""
    document = check("""\
        name: w
        steps:
          - id: a
            type: made.up
            description: not ${this.one}
            input: {text: "${input.x}", words: ["plain", "$${literal}", "a ${input.y} b", "${"]}
        """).document
    assert document is not None
    texts = list(document.texts(document.steps[0].values))
    assert [text.path for text in texts] == [("input", "text"), ("input", "words", 2)]
    assert [read.path for text in texts for read in text.template.reads] == [
        ("input", "x"),
        ("input", "y"),
    ]


def test_names_with_hyphens_are_those_that_are_declared() -> None:
    """`a-b` is a subtraction unless somebody is called so."""
    document = check("""\
        name: w
        inputs: {type: object, properties: {my-input: {}}}
        config: {my-config: 1, plain: 2}
        steps: [{id: my-step, type: made.nothing}]
        """).document
    assert document is not None
    assert document.names == {"my-input", "my-config", "my-step"}
