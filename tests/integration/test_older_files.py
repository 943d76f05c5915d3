"""Workflow files of the earlier system are checked and run unmodified."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from pydantic import BaseModel
from temporalio.client import Client

from activities.inference import inference
from aima.catalog import discover
from aima.dsl.json import Json
from aima.errors import RateLimited
from aima.gateway.definitions import Definitions
from aima.ports.engine import ChatRequest
from aima.testing import chat_reply
from aima.unit import Context
from tests.integration.lab import Lab, lab_on
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
async def test_nothing_in_their_files_is_wrong_but_units_that_do_not_exist_yet(file: Path) -> None:
    """Each unit that is added makes one of these findings go."""
    definitions, text = Definitions(discover()), text_of(file)
    units = [step["type"] for step in yaml.safe_load(text)["steps"]]
    missing = [unit for unit in units if unit not in definitions.catalog.units]
    checked = definitions.check(text, file.name)
    assert [d.code for d in checked.diagnostics] == ["unit/unknown"] * len(missing)
    for diagnostic, unit in zip(checked.diagnostics, missing, strict=True):
        assert f"`{unit}`" in diagnostic.message
