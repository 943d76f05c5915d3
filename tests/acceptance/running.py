"""AIMA kept running for all tests of a module, where they do not get into each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.acceptance.command import PROJECT, Aima, belongs_to, models_folder


@contextmanager
def data_folder(folder: Path, project: Path = PROJECT) -> Iterator[Aima]:
    """Give AIMA on a new data folder that knows the models; nothing of it may be left running."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    (data / "models").symlink_to(models_folder())
    aima = Aima(data, project)
    try:
        yield aima
    finally:
        aima.call("down")
        left = living(aima)
        for process in left:
            process.kill()
    assert not left, f"left behind: {left}"


@contextmanager
def running_aima(folder: Path, project: Path = PROJECT) -> Iterator[Aima]:
    """Give AIMA on a new data folder, up."""
    with data_folder(folder, project) as aima:
        aima.up()
        yield aima


def living(aima: Aima) -> list[psutil.Process]:
    """Find the processes that were started with a data folder."""
    found = []
    for process in psutil.process_iter(["environ"]):
        with suppress(psutil.NoSuchProcess):  # it ended while it was looked at
            if belongs_to(process, aima.data):
                found.append(process)
    return found
