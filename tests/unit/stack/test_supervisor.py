"""When a stack ends: the counting of its clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from aima.errors import EngineNotRunning
from aima.settings import Settings
from aima.stack.supervisor import Supervisor


def supervisor(tmp_path: Path, *, stays: bool) -> Supervisor:
    """Make one that has started nothing."""
    return Supervisor(Settings(data=tmp_path), stays=stays, ready=lambda _: None)


async def test_a_stack_of_runs_ends_with_its_last_client(tmp_path: Path) -> None:
    """Not with the first, and not twice."""
    stack = supervisor(tmp_path, stays=False)
    first, second = [await stack.attach(works=False) for _ in range(2)]
    assert first != second
    stack.detach(first)
    assert not stack.ended.is_set()
    stack.detach(first)
    assert not stack.ended.is_set(), "a client leaves once, however often that is told"
    stack.detach(second)
    assert stack.ended.is_set()


async def test_a_stack_that_stays_outlives_its_clients(tmp_path: Path) -> None:
    """`aima up`."""
    stack = supervisor(tmp_path, stays=True)
    stack.detach(await stack.attach(works=False))
    assert not stack.ended.is_set()


async def test_a_stack_that_is_ending_takes_no_client(tmp_path: Path) -> None:
    """It would be cut off in the middle; told so, it starts a stack of its own."""
    stack = supervisor(tmp_path, stays=False)
    stack.detach(await stack.attach(works=False))
    with pytest.raises(EngineNotRunning, match="just ending"):
        await stack.attach(works=False)
