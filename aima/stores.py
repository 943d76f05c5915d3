"""Opening what a data folder holds; one place knows where each thing lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aima.settings import Settings

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

    from aima.artifacts import FolderArtifacts
    from aima.models.store import ModelStore
    from aima.runlog import RunLogs
    from aima.store.database import Store
    from aima.store.kept import KeptStore


def artifacts_of(settings: Settings) -> FolderArtifacts:
    """Open the store of bytes."""
    from aima.artifacts import FolderArtifacts

    return FolderArtifacts(settings.data / "artifacts", max_bytes=settings.artifacts.max_bytes)


def models_of(settings: Settings) -> ModelStore:
    """Open the store of models."""
    from aima.models.store import ModelStore

    return ModelStore(settings.data / "models", settings.models.mirror)


def logs_of(settings: Settings) -> RunLogs:
    """Open the logs of runs."""
    from aima.runlog import RunLogs

    return RunLogs(settings.data / "logs" / "runs")


def store_of(settings: Settings) -> Store:
    """Open the SQL store; it is made or upgraded where needed."""
    from aima.store import open_store

    return open_store(settings.data / "aima.db")


def kept_store_of(settings: Settings) -> KeptStore:
    """Prepare to open the SQL store once, for all that a process is asked."""
    from aima.store.kept import KeptStore

    return KeptStore(lambda: store_of(settings))


def converter_of(settings: Settings) -> DataConverter:
    """Make the converter between values and Temporal's payloads, large ones in the store."""
    from aima.temporal.converter import data_converter

    return data_converter(
        artifacts_of(settings),
        inline_bytes=settings.artifacts.inline_bytes,
        max_bytes=settings.artifacts.max_bytes,
    )
