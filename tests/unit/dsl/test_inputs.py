"""A run's input and config, before anything starts."""

from textwrap import indent

import pytest

from aima.dsl.inputs import UnfitInput, accept_config, accept_input
from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.errors import ValidationFailed
from tests.unit.dsl.checking import plan

REFERENCE: Json = {"artifact": f"sha256:{'a' * 64}", "media_type": "audio/wav", "bytes": 3}


def declared(properties: str, more: str = "") -> Plan:
    """Compile a workflow with inputs of these properties."""
    lines = indent(properties.strip("\n"), "    ")
    return plan(f"""\
name: w
inputs:
  type: object
{indent(more, "  ")}
  properties:
{lines}
config: {{voice: en, speed: 1}}
steps:
  - {{id: a, type: made.up, input: {{text: "${{input}} ${{config}}"}}}}
""")


def refused(workflow: Plan, given: Json) -> str:
    """Give the message with which an input is refused."""
    with pytest.raises(ValidationFailed) as raised:
        accept_input(workflow, given)
    return raised.value.message


def test_an_input_that_fits_comes_back_with_its_defaults() -> None:
    """Also inside maps, and in front of what is given."""
    workflow = declared("""
a: {type: string}
b: {type: string, default: bee}
c: {type: object, default: {}, properties: {d: {default: [1]}}}
""")
    assert accept_input(workflow, {"a": "x"}) == {"a": "x", "b": "bee", "c": {"d": [1]}}
    assert accept_input(workflow, {"b": "y", "c": {"d": 2}}) == {"b": "y", "c": {"d": 2}}


def test_what_was_given_and_the_plan_stay_as_they_are() -> None:
    """Filling in defaults must not leak from one run into the next."""
    workflow = declared("list: {type: array, default: []}\nmap: {type: object}")
    given: dict[str, Json] = {"map": {}}
    first = accept_input(workflow, given)
    assert given == {"map": {}}
    assert isinstance(first, dict)
    assert isinstance(first["list"], list)
    first["list"].append("leak")
    assert accept_input(workflow, {}) == {"list": []}


@pytest.mark.parametrize(
    ("schema", "given", "kept"),
    [
        ("{type: number}", 1, 1.0),
        ("{type: integer}", 2.0, 2),
        ("{type: [integer, number]}", 1, 1),
        ("{}", 1, 1),
        ("{}", 1.0, 1.0),
        ("{type: array, items: {type: number}}", [1, 2.5], [1.0, 2.5]),
        ("{anyOf: [{type: number}, {type: 'null'}]}", 3, 3.0),
        ("{type: object, properties: {n: {type: number}}}", {"n": 4}, {"n": 4.0}),
        ("{type: number}", True, None),
        ("{type: boolean}", True, True),
    ],
)
def test_a_number_becomes_what_it_is_declared_to_be(schema: str, given: Json, kept: Json) -> None:
    """`input.ratio * 2.0` must not depend on whether somebody typed `1` or `1.0`."""
    workflow = declared(f"it: {schema}")
    if kept is None:
        assert "is not of type 'number'" in refused(workflow, {"it": given})
        return
    accepted = accept_input(workflow, {"it": given})
    assert repr(accepted) == repr({"it": kept})


def test_everything_wrong_is_told_at_once() -> None:
    """Who fills in a form wants all mistakes, not one for each attempt."""
    workflow = declared("a: {type: string}\nb: {type: integer}", more="required: [c]")
    message = refused(workflow, {"a": 1, "b": "x"})
    assert message.startswith("the input does not fit workflow 'w': ")
    assert "'a': 1 is not of type 'string'" in message
    assert "'b': 'x' is not of type 'integer'" in message
    assert "'c' is a required property" in message


def test_each_mistake_has_its_place() -> None:
    """A program shows it beside the field, also where a field is missing or should not be."""
    workflow = declared("a/b: {type: array, items: {type: integer}}", more="required: [c]")
    with pytest.raises(UnfitInput) as raised:
        accept_input(workflow, {"a/b": [1, "x"], "d": 1})
    found = {(misfit.pointer, misfit.code) for misfit in raised.value.misfits}
    assert found == {("/a~1b/1", "type"), ("/c", "required"), ("/d", "additionalProperties")}
    with pytest.raises(UnfitInput) as raised:
        accept_input(workflow, {"a/b": [2**64]})
    assert [misfit.pointer for misfit in raised.value.misfits] == ["/a~1b/0"]


def test_a_misspelt_input_is_told_with_the_nearest() -> None:
    """With `properties` an input is closed: a typing mistake must not run without its value."""
    workflow = declared("audio: {type: string}\nopts: {type: object, properties: {voice: {}}}")
    assert "there is no input 'audoi', did you mean 'audio'?" in refused(workflow, {"audoi": "x"})
    assert "there is no input 'zzz'" in refused(workflow, {"zzz": "x"})
    assert "there is no input 'opts.voise', did you mean 'voice'?" in refused(
        workflow, {"opts": {"voise": "x"}}
    )


def test_additional_properties_open_an_input() -> None:
    """The author may say so."""
    workflow = declared("a: {type: string}", more="additionalProperties: true")
    assert accept_input(workflow, {"other": 1}) == {"other": 1}


def test_without_inputs_anything_goes() -> None:
    """Workflows of the earlier system declare none."""
    workflow = plan('name: w\nsteps: [{id: a, type: made.up, input: {text: "${input.x}"}}]')
    anything: list[Json] = [None, [1], "text", {"x": {"y": 1}}]
    for given in anything:
        assert accept_input(workflow, given) == given


@pytest.mark.parametrize("given", ["question.wav", {"artifact": "x"}, None, 5], ids=repr)
def test_what_should_be_a_file_says_how_to_give_one(given: Json) -> None:
    """Nobody guesses `@` from `is not of type 'object'`."""
    workflow = declared("audio: {type: string, format: artifact}")
    message = refused(workflow, {"audio": given})
    if isinstance(given, dict):
        assert "'audio' is no whole reference to a file: that has artifact, media_type" in message
        assert message.count("no whole reference") == 1
    else:
        assert "must be a file: give it as audio=@FILE" in message


def test_a_reference_is_a_file() -> None:
    """What the command line puts in its place, also in a list of files."""
    workflow = declared("""
audio: {type: string, format: artifact}
images: {type: array, items: {type: string, format: artifact}}
""")
    given: Json = {"audio": REFERENCE, "images": [REFERENCE, REFERENCE]}
    assert accept_input(workflow, given) == given


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"n": 2**63}, "'input.n' does not fit into 64 bits"),
        ({"l": [{"n": -(2**63) - 1}]}, "'input.l[0].n' does not fit into 64 bits"),
        ({"n": float("nan")}, "'input.n' is nan, which is no number"),
        ([float("inf")], "'input[0]' is inf, which is no number"),
    ],
)
def test_numbers_that_the_language_lacks_are_refused(given: Json, told: str) -> None:
    """They would come out of some step as another number, or not at all."""
    workflow = plan('name: w\nsteps: [{id: a, type: made.up, input: {text: "${input.x}"}}]')
    assert told in refused(workflow, given)


def test_a_large_wrong_value_is_told_short() -> None:
    """The message is for people; a megabyte of input in it helps nobody."""
    workflow = declared("a: {type: integer}\nb: {type: array, items: {type: integer}}")
    message = refused(workflow, {"a": "x" * 100_000, "b": ["y"] * 1000, **dict.fromkeys("cdef")})
    assert len(message) < 4_000


def test_a_schema_may_refer_to_its_own_parts() -> None:
    """`$defs` keep a long schema readable; defaults and numbers work through them."""
    workflow = declared(
        'it: {$ref: "#/$defs/point"}',
        more="$defs: {point: {type: object, properties: {x: {type: number, default: 0}}}}",
    )
    assert repr(accept_input(workflow, {"it": {}})) == "{'it': {'x': 0.0}}"
    assert "'it.x': 'one' is not of type 'number'" in refused(workflow, {"it": {"x": "one"}})


def test_a_schema_of_true_and_false_is_one() -> None:
    """JSON Schema has them: anything, and nothing."""
    workflow = declared("any: true\nnone: false")
    assert accept_input(workflow, {"any": [1]}) == {"any": [1]}
    assert "'none': 1 is not one of []" in refused(workflow, {"none": 1})


def test_config_may_be_overridden_where_there_is_some() -> None:
    """`--set` with a misspelt name must not be ignored."""
    workflow = declared("a: {}")
    assert accept_config(workflow, {"voice": "de"}) == {"voice": "de"}
    with pytest.raises(ValidationFailed, match="no config value 'voise'; did you mean 'voice'"):
        accept_config(workflow, {"voise": "de"})
    with pytest.raises(ValidationFailed, match="no config value 'zzz'; it has voice, speed"):
        accept_config(workflow, {"zzz": 1})
