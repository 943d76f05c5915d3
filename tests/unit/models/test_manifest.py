"""The manifest says what may be fetched; a mistake in it is a mistake in every install."""

from __future__ import annotations

from importlib.resources import files

import pytest
from pydantic import ValidationError

from aima.errors import ModelNotFound, NotFound
from aima.models import manifest
from aima.models.manifest import Manifest, ModelFile, load_manifest
from aima.ports import inference


def test_the_embedded_group_can_hear_answer_and_speak() -> None:
    """The voice assistant is the first thing a new machine runs."""
    types = [model.type for model in load_manifest().group("embedded")]
    assert types == ["llm", "asr", "tts", "embedding", "rerank", "detection", "vlm", "diffusion"]


def test_the_first_run_fetches_only_what_it_needs() -> None:
    """Nobody waits for a model that sees before a first word is spoken."""
    assert [model.type for model in load_manifest().group("voice")] == ["llm", "asr", "tts"]


def test_what_is_less_than_its_type_promises_says_what_it_is() -> None:
    """Patterns are no painting, and found facts no seeing."""
    kinds = {model.type: model.kind for model in load_manifest().models if model.kind}
    assert kinds == {
        "rerank": "late-interaction",
        "vlm": "perception",
        "diffusion": "procedural",
    }


def test_what_a_model_uses_comes_before_it() -> None:
    """An engine that reads the list once must know the parts before the whole."""
    manifest = load_manifest()
    names = [model.name for model in manifest.models]
    assert [m.name for m in manifest.closure("perception")] == [
        *("nanodet-g", "smollm2-135m-instruct", "perception")
    ]
    assert all(names.index(used) < names.index(m.name) for m in manifest.models for used in m.uses)


def test_a_model_without_files_or_parts_is_none() -> None:
    """It would be present everywhere and load nowhere."""
    model = load_manifest().models[0].model_dump(by_alias=True) | {"file": []}
    with pytest.raises(ValidationError, match="uses models that have some"):
        Manifest.model_validate({"model": [model]})


def test_every_model_tells_its_licence_and_has_sources() -> None:
    """Nobody can be bound by a licence they were not told."""
    for model in load_manifest().models:
        assert model.licence
        assert model.description
        assert all(file.sources for file in model.files)
        assert model.bytes == sum(file.bytes for file in model.files)


def test_names_and_files_are_unique() -> None:
    """Two models of one name would share a folder."""
    models = load_manifest().models
    assert len({model.name for model in models}) == len(models)
    for model in models:
        assert len({file.path for file in model.files}) == len(model.files)


def test_no_address_is_written_down() -> None:
    """Which hub and which index is the machine's configuration, not ours."""
    text = files("aima.models").joinpath("manifest.toml").read_text("utf-8")
    assert "://" not in text


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    """A name mistyped must not cost a search."""
    with pytest.raises(ModelNotFound, match=r"'smol'.*smollm2-135m-instruct, whisper-tiny\.en"):
        load_manifest().model("smol")


def test_an_unknown_group_is_answered_with_the_known_ones() -> None:
    """Same."""
    with pytest.raises(NotFound, match=r"'embeded'.*embedded"):
        load_manifest().group("embeded")


@pytest.mark.parametrize("path", ["../up", "a/../../up", "/root/x", ""])
def test_a_file_cannot_leave_its_models_folder(path: str) -> None:
    """A manifest may come from elsewhere one day; paths in it must not."""
    with pytest.raises(ValidationError, match="relative path"):
        ModelFile.model_validate({"path": path, "bytes": 1, "sha256": "0" * 64, "sources": []})


def test_a_misspelt_key_is_refused() -> None:
    """`licence` written `license` would silently be a model without one."""
    with pytest.raises(ValidationError, match="license"):
        Manifest.model_validate({"model": [{"license": "MIT"}]})


def test_types_are_those_of_the_engines() -> None:
    """The list stands twice, since models may know nothing of engines."""
    assert manifest.ModelType == inference.ModelType


@pytest.mark.parametrize(("key", "nothing"), [("context_tokens", 0), ("chat_template", "")])
def test_a_language_model_states_how_it_converses(key: str, nothing: object) -> None:
    """Without a context nothing bounds it, without a template the one inside its file is run."""
    model = load_manifest().models[0].model_dump(by_alias=True) | {key: nothing}
    with pytest.raises(ValidationError, match=f"{key} is missing"):
        Manifest.model_validate({"model": [model]})
