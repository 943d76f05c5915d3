"""Fixtures: AIMA with a data folder of its own, and a sink whose effects can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.command import PROJECT, Aima, Sink, belongs_to, models_folder


@pytest.fixture
def aima(tmp_path: Path) -> Iterator[Aima]:
    """AIMA with an empty data folder that knows the models; everything it started is ended."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(models_folder())
    command = Aima(data, PROJECT)
    yield command
    command.call("down")
    left = [p for p in psutil.process_iter(["environ"]) if belongs_to(p, data)]
    for process in left:
        process.kill()
    assert not left, f"left behind: {left}"


@pytest.fixture
def sink(tmp_path: Path) -> Sink:
    """An empty effect sink with a closed gate."""
    return Sink(tmp_path / "sink.db", tmp_path / "gate")
