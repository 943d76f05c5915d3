"""Each shipped workflow runs with its own example, on the engine that AIMA brings along.

What is retrieved, found, heard and made is looked at; how a small model words it is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.command import Aima
from tests.acceptance.running import running_aima

KNOWN = {
    "What does error E18 of the washing machine mean?": ("washing-machine.md", "lint trap"),
    "What is the name of the network for guests?": ("internet.md", "Orchard"),
    "When may I cut the hedge?": ("garden.md", "October to February"),
    "Where is the fuse box?": ("safety.md", "picture of the lighthouse"),
    "How warm is the house at night?": ("heating.md", "17 degrees"),
    "On which day is the paper bin emptied?": ("rubbish.md", "last Friday"),
}
"""Questions for the shipped handbook: the document, and words of the passage, that answer them."""

ASKING = """
name: asking
inputs:
  type: object
  required: [questions]
  properties: {questions: {type: array, items: {type: string}}}
steps:
  - id: ask
    for_each: {in: "${input.questions}", as: question, max_parallel: 2}
    workflow: rag
    input: {question: "${question}"}
output: ${steps.ask.items}
"""

UNKNOWN = "Who won the football world cup in 1998?"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """One stack for all of them, so that models are loaded once."""
    with running_aima(tmp_path_factory.mktemp("shipped")) as aima:
        yield aima


def example(running: Aima, name: str) -> Any:  # noqa: ANN401 - the workflow's output
    """Run a shipped workflow with its own example; give its output."""
    return running.ask("run", name, "--example")["output"]


def test_rag_finds_what_the_handbook_tells_and_nothing_else(running: Aima) -> None:
    """It reads the folder once; then every question gets the passage that answers it."""
    first = example(running, "rag")
    assert "every two months" in first["sources"][0]["text"]
    assert first["answer"]
    asking = running.data / "asking.yaml"
    asking.write_text(ASKING)
    questions = running.data / "questions.json"
    questions.write_text(json.dumps({"questions": [*KNOWN, UNKNOWN]}))
    *known, unknown = running.ask("run", asking, "--input-file", questions)["output"]
    for answered, (document, words) in zip(known, KNOWN.values(), strict=True):
        assert answered["sources"][0]["document"].endswith(document)
        assert words in answered["sources"][0]["text"]
    assert unknown["sources"] == []
