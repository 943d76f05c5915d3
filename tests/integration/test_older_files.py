"""Workflow files of the earlier system are checked and run unmodified."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import BaseModel
from temporalio.client import Client

from activities.inference import inference
from aima.catalog import discover
from aima.dsl.json import Json
from aima.dsl.older import import_older
from aima.errors import RateLimited
from aima.gateway.workflows.definitions import Definitions
from aima.ports.inference import ChatRequest
from aima.testing import chat_reply
from aima.unit import Context
from tests.integration.lab import Lab, lab_on
from tests.integration.older_units import BUSY, older_units
from tests.integration.stand_ins import ANSWERED, HEARD, stand_ins

pytestmark = pytest.mark.asyncio(loop_scope="session")

OURS = Path(__file__).parent.parent / "data" / "older"
ROOT = Path(__file__).parent.parent.parent
THEIRS = sorted((ROOT.parent / "shared" / "compat").glob("*.yaml"))
needs_theirs = pytest.mark.skipif(not THEIRS, reason="the earlier system's files are not here")


def text_of(file: Path) -> str:
    """Read a workflow."""
    return file.read_text("utf-8")


async def chat_of_two(request: BaseModel, ctx: Context) -> BaseModel:
    """Let one of two models always be busy."""
    del ctx
    assert isinstance(request, ChatRequest)
    if request.model == "llama3.2":
        raise RateLimited("the first is busy; ask later")
    return chat_reply(f"second says: {request.messages[0].content}")


@pytest_asyncio.fixture(loop_scope="session")
async def assistant(local: Client, tmp_path: Path) -> AsyncIterator[Lab]:
    """Give a lab whose inference is made of stand-ins."""
    with lab_on(local, tmp_path, more=stand_ins()) as made:
        async with made.worker():
            yield made


async def spoken(lab: Lab) -> dict[str, Json]:
    """Put a recording into the lab's store."""
    kept = await lab.around.artifacts.put(b"a recorded question", media_type="audio/wav")
    return dict(kept.model_dump())


async def test_our_answering_machine_runs(assistant: Lab) -> None:
    """Every key of the earlier system's dialect, in one file."""
    text = text_of(OURS / "answering_machine.yaml")
    outcome = await assistant.run(text, {"recording": await spoken(assistant)})
    assert outcome.state == "completed"
    assert isinstance(outcome.output, dict)
    assert (outcome.output["question"], outcome.output["answer"]) == (HEARD, ANSWERED)
    assert isinstance(outcome.output["speech"], dict)


async def test_an_error_inside_text_reads_as_its_message(local: Client, tmp_path: Path) -> None:
    """They wrote `${steps.x.error}` into prompts and outputs; ids with hyphens among them."""
    chat = replace(inference.units["inference.chat"], run=chat_of_two)
    with lab_on(local, tmp_path, more=(chat,)) as lab:
        async with lab.worker():
            text = text_of(OURS / "second_opinion.yaml")
            outcome = await lab.run(text, {"question": "why?"})
    assert outcome.output == {
        "answer": "second says: why?",
        "note": "First: the first is busy; ask later",
    }


def inputs_of(recording: Json) -> dict[str, dict[str, Json]]:
    """Give an input for each of our older files."""
    return {
        "answering_machine": {"recording": recording},
        "ask_the_archive": {"question": "why?"},
        "ask_the_manual": {"question": "why?"},
        "bulk_answers": {"file": "questions.txt"},
        "film_summary": {"film": "cat.mp4"},
        "picture_question": {"picture": "cat.png", "question": "why?"},
        "second_opinion": {"question": "why?"},
    }


PAGES: list[Json] = [{"page": 0, "near": [4.0, 0.5]}, {"page": 1, "near": [4.0, 0.5]}]
PAGES_AS_TEXT = '{"page":0,"near":[4,0.5]},{"page":1,"near":[4,0.5]}'
OUTPUTS: dict[str, dict[str, Json]] = {
    "ask_the_archive": {
        "answer": "Answer from the pages, or say that you cannot. | Pages: "
        '[{"page":1,"near":[4,0.5]},{"page":0,"near":[4,0.5]}]\n\nQuestion: why?\n',
        "pages": [*reversed(PAGES)],
        "ended": "stop",
    },
    "ask_the_manual": {"answer": f"Pages: [{PAGES_AS_TEXT}] | why?", "pages": PAGES},
    "bulk_answers": {"answers": ["questions.txt:1", "questions.txt:2", 4]},
    "film_summary": {"summary": '画面: ["a picture of cat.mp4@0","a picture of cat.mp4@30"]'},
    "picture_question": {"reply": "图: a picture of cat.png\n问: why?"},
}


@pytest_asyncio.fixture(loop_scope="session")
async def older(local: Client, tmp_path: Path) -> AsyncIterator[Lab]:
    """Give a lab with every unit that older files name."""
    with lab_on(local, tmp_path, more=older_units()) as made:
        async with made.worker():
            yield made


def step(body: str, *, output: str = "${steps.s}") -> str:
    """Write an older file with one step."""
    return f"name: x\nsteps:\n  - id: s\n    {body}\noutput:\n  o: {output}\n"


@pytest.mark.parametrize("name", OUTPUTS)
async def test_an_older_file_runs_unmodified(older: Lab, name: str) -> None:
    """Each shape that the earlier system shipped, in our own words."""
    outcome = await older.run(text_of(OURS / f"{name}.yaml"), inputs_of(None)[name])
    assert (outcome.state, outcome.output) == ("completed", OUTPUTS[name])


@pytest.mark.parametrize("file", sorted(OURS.glob("*.yaml")), ids=lambda file: file.stem)
async def test_an_imported_file_does_what_it_did(older: Lab, file: Path) -> None:
    """`aima import` changes how it is written."""
    given = inputs_of(await spoken(older))[file.stem]
    today, changes = import_older(text_of(file), file.name)
    assert changes
    config: dict[str, Json] = {"first": BUSY} if file.stem == "second_opinion" else {}
    before, after = [await older.run(text, given, **config) for text in (text_of(file), today)]
    assert (after.state, after.output) == (before.state, before.output)
    assert after.state == "completed"


async def test_a_reference_alone_keeps_its_type(older: Lab) -> None:
    """`batch_size: "${config.n}"` is a number there."""
    text = step("type: lab.echo\n    input: {n: '${input.n}', l: '${input.l}', b: '${input.b}'}")
    outcome = await older.run(text, {"n": 4, "l": [1], "b": False})
    assert outcome.output == {"o": {"n": 4, "l": [1], "b": False}}


async def test_a_reference_inside_text_becomes_text(older: Lab) -> None:
    """Lists and maps as JSON, everything else as it is written."""
    said = "'${input.t} ${input.n} ${input.b} ${input.l} ${input.m}'"
    text = step(f"type: lab.echo\n    input: {{said: {said}}}", output="${steps.s.said}")
    given: dict[str, Json] = {"t": "é", "n": 2.0, "b": True, "l": [1, "x"], "m": {"k": None}}
    outcome = await older.run(text, given)
    assert outcome.output == {"o": 'é 2 true [1,"x"] {"k":null}'}


@pytest.mark.parametrize("said", ["${input.missing}", "so: ${input.missing}"])
async def test_a_missing_key_is_an_error_with_its_line(older: Lab, said: str) -> None:
    """The earlier system put an empty text there, and the model answered it."""
    outcome = await older.run(step(f"type: lab.echo\n    input: {{t: '{said}'}}"), {})
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert "missing" in str(outcome.error)
    assert outcome.error["line"] == 5


async def test_continue_leaves_the_error_as_a_value(older: Lab) -> None:
    """Alone it is the whole error, so that a later step can look at its code."""
    body = "type: lab.fail\n    input: {code: MODEL_NOT_FOUND}\n    on_failure: continue"
    outcome = await older.run(step(body, output="${steps.s.error}"), {})
    assert outcome.state == "completed"
    assert isinstance(outcome.output, dict)
    told = outcome.output["o"]
    assert isinstance(told, dict)
    assert (told["code"], told["step"], told["unit"]) == ("MODEL_NOT_FOUND", "s", "lab.fail")


async def test_a_delay_in_seconds_never_grows(older: Lab) -> None:
    """`delay_seconds: 3` waited three seconds each time, and still does."""
    body = "type: lab.echo\n    retry: {max_attempts: 4, delay_seconds: 3}"
    run_id = await older.start(step(body))
    await older.outcome(run_id)
    [event] = await older.scheduled(run_id)
    policy = event.activity_task_scheduled_event_attributes.retry_policy
    assert policy.initial_interval.ToSeconds() == 3
    assert (policy.backoff_coefficient, policy.maximum_attempts) == (1, 4)


@pytest.mark.parametrize(
    ("more", "attempts"),
    [("", 3), ("\n    retry: {max_attempts: 2, delay_seconds: 0}", 2)],
    ids=["as the unit says", "as the step says"],
)
async def test_on_failure_retry_tries_again_then_aborts(
    older: Lab, more: str, attempts: int
) -> None:
    """The step's `retry` rules; without one the unit's own."""
    body = f"type: lab.fail\n    input: {{name: n}}\n    on_failure: retry{more}"
    outcome = await older.run(step(body), {})
    assert outcome.state == "failed"
    assert older.board.attempts["n"] == attempts


async def test_abort_ends_the_run_and_starts_nothing_more(older: Lab) -> None:
    """The earlier system's word for what happens without it."""
    text = (
        "name: x\nsteps:\n"
        "  - {id: a, type: lab.fail, input: {code: CONFLICT}, on_failure: abort}\n"
        "  - {id: b, type: lab.echo, input: {name: b}, depends_on: [a]}\n"
    )
    outcome = await older.run(text, {})
    assert outcome.state == "failed"
    assert older.board.calls == []


async def test_a_step_waits_for_what_it_only_depends_on(older: Lab) -> None:
    """Without a read, `depends_on` alone is the order."""
    text = (
        "name: x\nsteps:\n"
        "  - id: second\n    type: lab.echo\n    input: {name: b}\n    depends_on: [first]\n"
        "  - id: first\n    type: lab.echo\n    input: {name: a}\n"
    )
    await older.run(text, {})
    assert older.board.calls == ["a", "b"]


@pytest.mark.parametrize("field", ["embedding", "embeddings"])
async def test_a_query_embedding_is_one_vector_or_a_list_with_one(older: Lab, field: str) -> None:
    """Both were written; both mean the one query."""
    text = text_of(OURS / "ask_the_archive.yaml")
    text = text.replace("steps.measure.embeddings", f"steps.measure.{field}")
    outcome = await older.run(text, {"question": "why?"})
    assert outcome.output == OUTPUTS["ask_the_archive"]


async def test_a_config_value_is_set_for_one_run(older: Lab) -> None:
    """The file holds defaults."""
    text = text_of(OURS / "ask_the_manual.yaml")
    outcome = await older.run(text, {"question": "why?"}, pages=1)
    assert isinstance(outcome.output, dict)
    assert outcome.output["pages"] == PAGES[:1]


@needs_theirs
async def test_their_voice_assistant_runs_unmodified(assistant: Lab) -> None:
    """The promise of the language, on the file as it was shipped."""
    [file] = [file for file in THEIRS if file.name == "voice_assistant.yaml"]
    outcome = await assistant.run(text_of(file), {"audio": await spoken(assistant)})
    assert outcome.state == "completed"
    assert isinstance(outcome.output, dict)
    assert (outcome.output["text"], outcome.output["response"]) == (HEARD, ANSWERED)


@needs_theirs
@pytest.mark.parametrize("file", THEIRS, ids=lambda file: file.stem)
async def test_nothing_in_their_files_is_wrong(file: Path) -> None:
    """Checked with the units of this installation, types and all."""
    assert Definitions(discover()).check(text_of(file), file.name).diagnostics == ()


def theirs() -> dict[str, tuple[dict[str, Json], dict[str, Json]]]:
    """Give an input for each of their files, and what its run returns."""
    pages: list[Json] = [{"page": page, "near": [4.0, 0.5]} for page in range(5)]
    ranked: list[Json] = [*reversed(pages)]
    return {
        "batch_inference": (
            {"data_path": "questions.txt"},
            {"results": ["questions.txt:1", "questions.txt:2", 10]},
        ),
        "multimodal_chat": (
            {"image": "cat.png", "question": "why?"},
            {"response": "图片内容: a picture of cat.png\nwhy?"},
        ),
        "rag": ({"query": "why?"}, {"sources": pages}),
        "rag_pipeline": ({"query": "why?"}, {"sources": ranked, "confidence": "stop"}),
        "video_analysis": (
            {"video": "cat.mp4"},
            {
                "summary": "总结视频内容 | 帧分析结果: "
                '["a picture of cat.mp4@0","a picture of cat.mp4@30"]'
            },
        ),
    }


@needs_theirs
@pytest.mark.parametrize("name", theirs())
async def test_their_files_run_unmodified(older: Lab, name: str) -> None:
    """Each as it was shipped, with every unit it names."""
    [file] = [file for file in THEIRS if file.stem == name]
    given, expected = theirs()[name]
    outcome = await older.run(text_of(file), given)
    assert (outcome.state, outcome.error) == ("completed", None)
    assert isinstance(outcome.output, dict)
    assert {key: outcome.output[key] for key in expected} == expected


async def test_every_rule_of_the_page_names_a_test_that_is_here() -> None:
    """A rule without a test is a wish."""
    page = (ROOT / "docs" / "explanation" / "older-files.md").read_text("utf-8")
    rules = page.partition("## What the older")[2].partition("## What `aima import`")[0]
    rows = [row for row in rules.splitlines() if row.startswith("| ")][1:]
    assert rows
    named = [row.rsplit("`", 2)[1] for row in rows]
    assert set(named) <= set(globals())
