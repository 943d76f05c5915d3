"""What a workflow file says of what goes in and out."""

from __future__ import annotations

import pytest

from aima.gateway.cli.declared import Declared, declared


def test_inputs_config_and_outputs_are_read() -> None:
    """Enough to read `-i`, `--set` and `-o` before anything is started."""
    said = declared(
        "name: x\ninputs: {type: object}\nconfig: {voice: en}\n"
        "steps: [{id: a}]\noutput: {text: a, audio: b}\n",
        "x.yaml",
    )
    assert said == Declared({"type": "object"}, {"voice": "en"}, ("text", "audio"))


def test_without_an_output_the_steps_are_the_outputs() -> None:
    """As the language says."""
    assert declared("steps: [{id: a}, {id: b}]\n", "x.yaml").outputs == ("a", "b")


@pytest.mark.parametrize(
    "text",
    ["", "- a\n", "name: [\n", "name: x\n", "steps: 5\n", "output: ${steps.a}\n", "inputs: 5\n"],
)
def test_what_only_the_checker_or_the_run_can_tell_is_left_to_it(text: str) -> None:
    """A mistake is told once, by who tells it best."""
    said = declared(text, "x.yaml")
    assert said.outputs is None
    assert said.inputs == {}


def test_a_step_that_is_none_is_no_crash() -> None:
    """It has no name, the rest goes on."""
    assert declared("steps: [5, {type: x}, {id: c}]\n", "x.yaml").outputs == ("", "", "c")
