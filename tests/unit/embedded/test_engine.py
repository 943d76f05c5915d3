"""Which model a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from aima.embedded.chat import Chat
from aima.embedded.describe import Perception
from aima.embedded.detect import Detection
from aima.embedded.draw import Drawing
from aima.embedded.embed import Embedding, Reranking
from aima.embedded.engine import Engine
from aima.embedded.speak import Speaking
from aima.embedded.transcribe import Transcription
from aima.errors import ModelNotFound
from aima.models.store import ModelStore
from aima.settings import Embedded, Models, Settings


def engine_of(folder: Path, settings: Settings | None = None) -> Engine:
    """Give an engine whose models are not here."""
    return Engine(settings or Settings(), ModelStore(folder))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Chat, "smollm2-135m-instruct"),
        (Transcription, "whisper-tiny.en"),
        (Speaking, "kokoro-82m"),
        (Embedding, "all-minilm-l6-v2"),
        (Reranking, "minilm-late-interaction"),
        (Detection, "nanodet-g"),
        (Perception, "perception"),
        (Drawing, "procedural"),
    ],
)
def test_a_model_answers_to_its_name_and_as_default(
    tmp_path: Path, kind: type[Chat], name: str
) -> None:
    """`default` is the first of its kind."""
    engine = engine_of(tmp_path)
    assert engine.named(name, kind).model.name == name
    assert engine.named("default", kind) is engine.named(name, kind)


def test_a_model_of_another_kind_is_not_found(tmp_path: Path) -> None:
    """A voice cannot chat; the message names those that can."""
    with pytest.raises(ModelNotFound, match=r"'kokoro-82m'.*default, smollm2-135m-instruct$"):
        engine_of(tmp_path).named("kokoro-82m", Chat)


def test_a_default_that_another_engine_serves_leaves_the_own_one(tmp_path: Path) -> None:
    """The setting speaks of all engines; this one can only serve its own models."""
    settings = Settings(models=Models(default={"llm": "llama3.1:8b"}))
    chosen = engine_of(tmp_path, settings).named("default", Chat)
    assert chosen.model.name == "smollm2-135m-instruct"


def test_the_context_is_no_longer_than_the_model_was_trained_for(tmp_path: Path) -> None:
    """Past that it writes nonsense."""
    settings = Settings(embedded=Embedded(context_tokens=1_000_000))
    assert engine_of(tmp_path, settings).named("default", Chat).context_tokens == 8192


def test_threads_are_the_cores_less_one_unless_set(tmp_path: Path) -> None:
    """One core stays for everything else; a machine with one core still works."""
    assert engine_of(tmp_path).threads >= 1
    settings = Settings(embedded=Embedded(threads=3))
    assert engine_of(tmp_path, settings).threads == 3
