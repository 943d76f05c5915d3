"""Which step says a workflow's answer, decided from its plan."""

from __future__ import annotations

import pytest

from aima.catalog import discover
from aima.gateway.openai.spoken import spoken_by
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import find_workflow

DEFINITIONS = Definitions(discover(None))
CHAT = "id: chat, type: inference.chat, stream: true, input: {messages: [{role: user, content: a}]}"
RESTS = "id: rest, wait: 1s"
REFUSES = 'id: no, if: "${size(steps.chat.content) > 9}", raise: {code: A, message: b}'


def spoken(output: str, *steps: str) -> str:
    """Compile a workflow and name the step that says its answer."""
    lines = "".join(f"  - {{{step}}}\n" for step in steps)
    checked = DEFINITIONS.check(f"name: a\nsteps:\n{lines}output: {output}\n", "a.yaml")
    assert checked.ok, checked.diagnostics
    return spoken_by(DEFINITIONS.plan(checked), "answer", DEFINITIONS.signatures)


def test_the_text_of_a_step_that_shows_it_is_said() -> None:
    """With steps before and after it that take nothing back."""
    assert spoken('{answer: "${steps.chat.content}"}', RESTS, CHAT) == "chat"
    maybe = "\"${has(steps.chat) ? steps.chat.content : 'nothing'}\""
    assert spoken(f"{{answer: {maybe}}}", RESTS, f"{CHAT}, if: true") == "chat"


@pytest.mark.parametrize(
    ("output", "steps"),
    [
        ('{answer: "So: ${steps.chat.content}"}', [CHAT]),
        ('{answer: "${steps.chat.finish_reason}"}', [CHAT]),
        ('{answer: "${steps.chat.content.trim()}"}', [CHAT]),
        ('{answer: "${steps.chat.content}"}', [CHAT.replace("stream: true, ", "")]),
        ('{answer: "${steps.chat.content}"}', [CHAT, REFUSES]),
        ('{answer: "${steps.chat.content}"}', [CHAT, "id: r, return: {answer: b}"]),
        (
            '{answer: "${steps.chat.content}"}',
            [CHAT, 'id: ok, wait_for: {approval: {message: "${steps.chat.content}"}}'],
        ),
        ('{answer: "fixed"}', [CHAT]),
    ],
)
def test_what_is_only_known_at_the_end_is_not(output: str, steps: list[str]) -> None:
    """Changed, not shown, or still to be approved, refused or replaced."""
    assert not spoken(output, *steps)


def test_what_refuses_before_the_answer_takes_nothing_back() -> None:
    """A guard of the question is no guard of the answer."""
    guard = 'id: guard, if: "${config.no}", raise: {code: A, message: b}'
    later = f"{CHAT}, depends_on: [guard]"
    text = f"name: a\nconfig: {{no: false}}\nsteps:\n  - {{{guard}}}\n  - {{{later}}}\n"
    checked = DEFINITIONS.check(f'{text}output: {{answer: "${{steps.chat.content}}"}}\n', "a.yaml")
    assert checked.ok, checked.diagnostics
    assert spoken_by(DEFINITIONS.plan(checked), "answer", DEFINITIONS.signatures) == "chat"


def test_the_shipped_rag_says_its_answer() -> None:
    """Who chats with documents hears the first words at once."""
    file = find_workflow("rag", None)
    plan = DEFINITIONS.plan(DEFINITIONS.check(file.read_text(), str(file)))
    assert spoken_by(plan, "answer", DEFINITIONS.signatures) == "answer"
