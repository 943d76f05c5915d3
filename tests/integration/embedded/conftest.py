"""Fixtures of the real engine's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aima.models.store import ModelStore
from aima.settings import Embedded, Settings
from tests.integration.embedded.running import RunningEngine, running_engine


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of models, filled if need be."""
    default = Settings().data.expanduser() / "models"
    folder = Path(os.environ.get("AIMA_TEST_MODELS", default))
    store = ModelStore(folder)
    if not all(store.present(model.name) for model in store.manifest.group("embedded")):
        store.pull_group("embedded")
    return folder


@pytest.fixture(scope="session")
def settings(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a fresh data folder that shares the models."""
    data = tmp_path_factory.mktemp("data")
    (data / "models").symlink_to(models, target_is_directory=True)
    return Settings(data=data, embedded=Embedded(idle_seconds=600))


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[RunningEngine]:
    """One engine for all tests that leave it as it was."""
    with running_engine(settings) as started:
        yield started
