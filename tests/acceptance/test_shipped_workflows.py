"""Each shipped workflow runs with its own example, on the engine that AIMA brings along.

What is retrieved, found, heard and made is looked at; how a small model words it is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aima.shipped import shipped, workflows_in
from tests.acceptance.command import Aima
from tests.acceptance.running import running_aima

KNOWN = {
    "What does error E18 of the washing machine mean?": ("washing-machine.md", "lint trap"),
    "What is the name of the network for guests?": ("internet.md", "Orchard"),
    "When may I cut the hedge?": ("garden.md", "October to February"),
    "Where is the fuse box?": ("safety.md", "picture of the lighthouse"),
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


@pytest.fixture(scope="module")
def shown(running: Aima) -> dict[str, Any]:
    """What `aima demo` shows, the output of each workflow by its name."""
    outcomes = running.ask("demo")
    assert {outcome["state"] for outcome in outcomes} == {"completed"}
    return {outcome["workflow"]: outcome["output"] for outcome in outcomes}


def test_every_shipped_workflow_is_shown(shown: dict[str, Any]) -> None:
    """One that is added has an example that runs."""
    assert sorted(shown) == [file.stem for file in workflows_in(shipped("workflows"))]


def test_rag_finds_what_the_handbook_tells_and_nothing_else(
    running: Aima, shown: dict[str, Any]
) -> None:
    """The folder was read once; every question gets the passage that answers it."""
    first = shown["rag"]
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


def test_voice_assistant_hears_the_question_and_speaks(shown: dict[str, Any]) -> None:
    """The recording is understood word by word, and the answer is sound."""
    told = shown["voice-assistant"]
    assert "capital of france" in told["text"].lower()
    assert told["response"]
    assert told["audio"]["media_type"] == "audio/wav"


def test_vision_chat_reads_the_sign(shown: dict[str, Any]) -> None:
    """What is written in the picture is found, and the reply says that no model saw it."""
    told = shown["vision-chat"]
    assert "TOWN LIBRARY" in told["seen"]
    assert "9:00 - 18:00" in told["seen"]
    assert told["by"] == "perception"
    assert [turn["role"] for turn in told["said"]] == ["user", "assistant"]


def test_content_gen_writes_an_article_and_paints_its_scenes(shown: dict[str, Any]) -> None:
    """The shape is certain, whatever a small model puts into it; each picture is its own."""
    told = shown["content-gen"]
    assert told["title"]
    assert told["text"]
    assert told["missing"] == []
    assert {picture["media_type"] for picture in told["pictures"]} == {"image/png"}
    assert len({picture["artifact"] for picture in told["pictures"]}) == 2


def test_detect_describe_finds_the_cup(running: Aima, shown: dict[str, Any]) -> None:
    """And where nothing that is asked for is found, it tells of the picture as a whole."""
    told = shown["detect-describe"]
    assert [thing["label"] for thing in told["things"]] == ["cup"]
    assert told["description"]
    whole = running.ask("run", "detect-describe", "--example", "-i", 'labels=["dog"]')["output"]
    assert whole["things"] == []
    assert whole["description"]


def test_video_stream_analysis_tells_the_scenes_and_who_came(
    running: Aima, shown: dict[str, Any]
) -> None:
    """Four scenes, a person in the second; what was seen can be searched afterwards."""
    told = shown["video-stream-analysis"]
    assert [scene["time"] for scene in told["scenes"]] == [0, 2, 4, 6]
    assert [scene["watched"] for scene in told["scenes"]] == [[], ["person"], [], []]
    assert "cup" in told["scenes"][2]["description"]
    assert (told["failed"], bool(told["summary"])) == (0, True)
    asked = ("-i", "collection=films", "-i", "query=cup")
    found = running.ask("exec", "retrieval.search", *asked)["output"]["documents"]
    assert [document["metadata"]["time"] for document in found] == [4]


def test_batch_inference_answers_every_row(shown: dict[str, Any]) -> None:
    """In the order of the file."""
    told = shown["batch-inference"]
    assert [result["row"].split()[0] for result in told["results"]] == [
        "What",
        "How",
        "What",
        "How",
    ]
    assert all(result["answer"] for result in told["results"])
    assert told["unanswered"] == []
