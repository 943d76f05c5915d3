"""Hints for those who bring the words of another system."""

import pytest

from aima.dsl.hints import foreign_reference, key_hint
from aima.workflows.constructs import language
from tests.unit.dsl.checking import only_hint

DOCUMENT = (*language().sections, "name", "description", "version", "steps", "output")
STEP = (*language().modifiers, *(key for body in language().bodies.values() for key in body.keys))


@pytest.mark.parametrize(
    ("key", "known", "hint"),
    [
        ("on", DOCUMENT, "write `triggers`"),
        ("jobs", DOCUMENT, "write `steps`, a list"),
        ("uses", STEP, "write `type: UNIT`"),
        ("with", STEP, "write `input`"),
        ("needs", STEP, "write `depends_on: [STEP]`"),
        ("while", STEP, "write `repeat: {while: …, max: N}` beside `steps`"),
        ("sleep", STEP, "write `wait: 30s`"),
        ("on-error", STEP, "write `on_failure`, or `catch` in a step"),
        ("dependson", STEP, "did you mean `depends_on`?"),
        ("default", ("if", "steps"), "write `else: […]`"),
        ("uses", ("key", "ttl"), "known are key, ttl"),
        ("zzz", ("a", "b", "a"), "known are a, b"),
    ],
)
def test_a_word_of_another_system_leads_to_ours(
    key: str, known: tuple[str, ...], hint: str
) -> None:
    """Newcomers write what they know; a list of thirty keys does not tell them which it is."""
    assert key_hint(key, known) == hint


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Greet {{ input.name }}!", (6, 22, "input.name")),
        ("${{ inputs.name }}", (1, 18, "input.name")),
        ("{{steps.a-b.text}}", (0, 18, "steps.a-b.text")),
        ("see $steps.a.text.", (4, 17, "steps.a.text")),
        ("${input.name} and $${input.name}", None),
        ("{{ name }} pays $5, $inputs and {{}}", None),
        ("{'a': {'b': 1}}", None),
    ],
)
def test_a_reference_of_another_system_is_seen(
    text: str, found: tuple[int, int, str] | None
) -> None:
    """It would go to the model as it is, and nobody would be told."""
    assert foreign_reference(text) == found


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("if: input.n > 3, type: made.nothing", "write `${input.n > 3}`"),
        ("type: up, input: {text: a}", "did you mean `made.up`?"),
        ("type: made.nothing, on_failure: ignore", "there is `abort`, `continue`, `retry`"),
        ("type: made.nothing, on_failure: retyr", "did you mean `retry`?"),
        ("type: made.nothing, input: ", "indent what belongs to it, or leave it out"),
        ("type: made.up, input: {text: a, part: 1}", "did you mean `parts`?"),
        ("wait_for: {approval: OK?}", "write approval: {message: …}"),
        ("set: {n: '${a.n}'}", "write `steps.a`"),
        ("set: {n: '${{ inputs.n }}'}", "write `${input.n}`"),
        ("set: {n: '${not (input.n)}'}", "write `!`"),
    ],
)
def test_a_message_says_what_to_write(said: str, hint: str) -> None:
    """The nearest right word, and never a list where one word is meant."""
    assert only_hint(f"name: w\nsteps:\n  - {{id: a, {said}}}\n") == hint


def test_steps_under_their_names_become_a_list() -> None:
    """Two systems of three write them as a map."""
    said = "name: w\nsteps:\n  a: {type: made.nothing}\n"
    assert only_hint(said) == "write `- id: NAME` and what it does below"


def test_triggers_are_shown_whole() -> None:
    """`- cron:` is what others write."""
    said = 'name: w\ntriggers: [{cron: "0 7 * * *"}]\nsteps: [{id: a, type: made.nothing}]\n'
    assert only_hint(said) == 'write schedule: {cron: "0 7 * * *"}'
