"""AIMA from Python: any unit, asked through the stack of the data folder, as at every other door.

    from aima.client import connect

    with connect() as aima:
        said = aima.ask("template.render", {"text": "Hello {{ who }}", "values": {"who": "Ann"}})
        print(said["text"])

A `Path` in an input stands for its file. What fails raises the error of :mod:`aima.errors` whose
code every other door tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from aima.errors import error_class
from aima.gateway.cli.follow import Follower
from aima.gateway.cli.inputs import put
from aima.gateway.cli.stack import stack
from aima.gateway.cli.stack_client import StackClient
from aima.settings import Settings, load_settings
from aima.stack.lock import PYTHON

__all__ = ["Connection", "connect"]

_EXECUTE = "/api/v2/execute"


@contextmanager
def connect(settings: Settings | None = None) -> Iterator[Connection]:
    """Use the stack that runs, or one brought up for as long as the block lasts.

    Args:
        settings: None reads them as the command line does, from the environment and `aima.toml`.

    Raises:
        AimaError: there is none and it could not start.
    """
    settings = load_settings() if settings is None else settings
    with stack(settings, works=True) as client:
        yield Connection(replace(client, program=PYTHON), settings)


@dataclass(frozen=True)
class Connection:
    """A stack that answers."""

    stack: StackClient
    settings: Settings

    @cached_property
    def units(self) -> dict[str, str]:
        """The units that there are, each with its kind, `command` or `query`."""
        return {unit["name"]: unit["kind"] for unit in self.stack.get("/api/v2/units")["units"]}

    def ask(self, unit: str, given: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - as the unit declares
        """Ask a unit, and wait for what it gives, however long that takes.

        A command is a run: it goes on when this program ends.

        Raises:
            AimaError: it failed, is not to be had, or does not take this.
        """
        asked = {"unit": unit, "input": self._kept(given or {})}
        if self.units.get(unit) != "command":
            return self.stack.post(_EXECUTE, asked)["data"]
        begun = self.stack.post(_EXECUTE, {**asked, "options": {"async": True}})["data"]
        outcome = Follower(self.stack, self.settings, as_json=True).outcome(begun["id"])
        if (error := outcome["error"]) is not None:
            raise error_class(error["code"])(error["message"])
        return outcome["output"]

    def _kept(self, value: Any) -> Any:  # noqa: ANN401 - any JSON, with paths in it
        """Put the files that an input names into the store; what comes back names them."""
        if isinstance(value, Path):
            return put(value, self.settings)
        if isinstance(value, Mapping):
            return {key: self._kept(inner) for key, inner in value.items()}
        return [self._kept(one) for one in value] if isinstance(value, list | tuple) else value
