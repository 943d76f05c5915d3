"""When a stack ends: the counting of its clients."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aima.errors import EngineNotRunning, InvalidRequest
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


# --- where the door listens ------------------------------------------------------------------


def addresses(tmp_path: Path, *, stays: bool = True, **door: object) -> set[str]:
    """Open the door's sockets as the settings say, and tell where they listen."""
    settings = Settings.model_validate({"data": tmp_path, "port": 0, "door": door})
    with ExitStack() as held:
        listening = Supervisor(settings, stays=stays, ready=lambda _: None)._doors()
        for listener in listening:
            held.enter_context(listener)
        assert len({listener.getsockname()[1] for listener in listening}) == 1
        return {listener.getsockname()[0] for listener in listening}


def test_the_door_listens_on_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    """A fresh installation is nobody's to find; a stack of one run never is."""
    more: dict[str, Any] = {"address": "127.0.0.2", "hosts": ["ai.test"]}
    assert addresses(tmp_path) == {"127.0.0.1"}
    assert addresses(tmp_path, **more) == {"127.0.0.1", "127.0.0.2"}
    assert addresses(tmp_path, stays=False, **more) == {"127.0.0.1"}


def test_a_door_without_a_name_is_not_opened_to_a_network(tmp_path: Path) -> None:
    """It would refuse everybody, or anybody's page if it did not."""
    with pytest.raises(InvalidRequest, match=r"under no name; set `door\.hosts`"):
        addresses(tmp_path, address="0.0.0.0")  # noqa: S104 - it is refused
    with pytest.raises(InvalidRequest, match=r"cannot listen at '192\.0\.2\.1'"):
        addresses(tmp_path, address="192.0.2.1", hosts=["ai.test"])
    with pytest.raises(ValidationError, match="does not appear to be an IPv4"):
        addresses(tmp_path, address="ai.test")
