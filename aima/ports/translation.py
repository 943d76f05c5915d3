"""Requests of OpenAI's API for engines that do not speak it: the same, asked in AIMA's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aima.ports.engine import Engine
from aima.ports.inference import Outlet, RelayRequest


@dataclass(frozen=True)
class Translation:
    """How one kind of request is asked of an engine that does not speak OpenAI's API.

    Attributes:
        ability: what the engine must be able to do.
        ask: asks it, and gives its answer as OpenAI's API has it.
    """

    ability: type
    ask: Callable[[Engine, RelayRequest, Outlet], Awaitable[None]]
