"""A model file that is not what it says: what was right when it came in may have been changed."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from aima.models.manifest import load_manifest
from aima.settings import Settings
from tests.integration.embedded.running import running_engine

LIES = {"tensors": (8, 2**60), "keys": (16, 2**60), "letters of a name": (24, 2**62)}
"""Where the header of a GGUF file counts something, and a count that is not true."""

KEY = b"tokenizer.chat_template"
ENDLESS = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"
"""Nothing stops it but the end of the stack, and of the process."""


@pytest.fixture
def changed(models: Path, tmp_path: Path) -> Path:
    """A model file of a data folder of its own, for a test to change."""
    folder = tmp_path / "models"
    folder.mkdir()
    for model in load_manifest().models:
        if model.type == "llm":
            shutil.copytree(models / model.name, folder / model.name)
        elif model.files:
            (folder / model.name).symlink_to(models / model.name)
    (file,) = folder.glob("*/model.gguf")
    return file


def test_a_header_that_lies_about_sizes_is_told_and_the_engine_lives(changed: Path) -> None:
    """It is read by a native library; the size of the file and its name are right."""
    with running_engine(Settings(data=changed.parents[2])) as engine:
        for offset, lie in LIES.values():
            with changed.open("r+b") as file:
                file.seek(offset)
                truth = file.read(8)
                file.seek(offset)
                file.write(struct.pack("<Q", lie))
            told = engine.chat("Hello")
            assert (told.status_code, told.json()["error"]["code"]) == (500, "EXECUTION_FAILED")
            assert "`aima models pull " in told.json()["error"]["message"]
            with changed.open("r+b") as file:
                file.seek(offset)
                file.write(truth)
        assert engine.chat("Hello", max_tokens=2).status_code == 200
        assert engine.process.poll() is None


def test_the_template_inside_a_model_file_is_never_run(changed: Path) -> None:
    """It is a program by whoever made the file; how to converse is written in the manifest."""
    with changed.open("r+b") as file:
        place = file.read(8_000_000).index(KEY) + len(KEY)
        file.seek(place)
        _, length = struct.unpack("<IQ", file.read(12))
        file.write(ENDLESS.encode().ljust(length))
    with running_engine(Settings(data=changed.parents[2])) as engine:
        assert engine.chat("Hello", max_tokens=2).status_code == 200
        assert engine.process.poll() is None
