"""Following a run: live progress, the answer to Ctrl-C, and the result."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from aima.errors import (
    AimaError,
    Conflict,
    EngineNotRunning,
    TemporalUnreachable,
    error_class,
)
from aima.gateway.cli import outputs
from aima.gateway.cli.answers import Heard, Speech
from aima.gateway.cli.exits import FAILED, INTERRUPTED, TIMEOUT, exit_code, tell
from aima.gateway.cli.screen import Screen
from aima.gateway.cli.stack_client import StackClient, run_path
from aima.gateway.cli.steps import ENDED, row, show_error
from aima.gateway.cli.terminal import can_ask, give_json, is_live, say, tint
from aima.gateway.cli.tree import Tree
from aima.settings import Settings
from aima.workflows.progress_table import command_for, waiting_for

RECONNECTIONS = 30
RECONNECT_SECONDS = 1.0
"""A Temporal server that died is up again within a few of these."""


@dataclass
class Follower:
    """Follows one run to its end.

    Attributes:
        asks: whether somebody is there who can say what Ctrl-C meant.
        alone: the run is one unit, whose failure is the command's own.
    """

    client: StackClient
    settings: Settings
    as_json: bool = False
    watch: bool = False
    alone: bool = False
    asks: Callable[[], bool] = can_ask
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancelled: bool = False
    tree: Tree = field(default_factory=lambda: Tree(""))
    speech: Speech = field(default_factory=lambda: Speech(""))
    heard: Heard = field(default_factory=Heard)
    _screen: Screen = field(default_factory=Screen)
    _told_at: float = 0.0

    def follow(self, started: dict[str, Any], targets: Mapping[str, Path]) -> int:
        """Show a run until it ends; write its outputs; give the exit code."""
        run_id = started["id"]
        if not self.as_json:
            say(f"{tint(started['workflow'], bold=True)}  {run_id}")
            for step in started.get("steps", ()):
                self.steps[step["step"]] = {**step, "state": "waiting"}
            self.tree = Tree(run_id, {"rows": started.get("rows", ())})
            self.speech = Speech(run_id)
        while True:
            try:
                outcome = self.outcome(run_id)
                break
            except KeyboardInterrupt:
                if self._wants_to_leave(run_id):
                    return 0
        if not self.as_json:
            for text in self.speech.rest():
                self._say(text)
            self.tree = self.tree.ended(outcome["state"])
            self._draw()
        return self._end(run_id, outcome, targets)

    def outcome(self, run_id: str) -> dict[str, Any]:
        """Read the run's changes up to its end; a stream that breaks off is read again."""
        for _ in range(RECONNECTIONS):
            self._draw()
            with suppress(EngineNotRunning, TemporalUnreachable):
                for line in self.client.lines(self._events_of(run_id)):
                    if line["type"] == "run":
                        return line
                    self._change(line)
            self._require_stack(run_id)
            time.sleep(RECONNECT_SECONDS)
        raise TemporalUnreachable(
            f"Temporal does not tell how run {run_id!r} goes on; `aima status {run_id}` may later"
        )

    def _events_of(self, run_id: str) -> str:
        """Name the stream; whoever only waits for the result asks for nothing else."""
        quiet = self.as_json and not self.watch
        return run_path(run_id, "events") + ("" if quiet else "?trees=true&pieces=true")

    def _require_stack(self, run_id: str) -> None:
        try:
            self.client.get("/health")
        except EngineNotRunning as error:
            raise EngineNotRunning(
                f"AIMA ended while run {run_id!r} was open; it goes on with the next `aima up`, "
                f"and `aima status {run_id}` tells how far it is"
            ) from error

    def _change(self, line: dict[str, Any]) -> None:
        """Take a change in; what was told before a stream broke off is not told again."""
        if line["type"] != "step":
            (self._take_tree if line["type"] == "tree" else self._take_piece)(line)
            return
        before = self.steps.get(line["step"], {})
        state = before.get("state", "waiting")
        if state in ENDED or line == before or (line["state"] == "waiting" != state):
            return
        self.steps[line["step"]] = line
        if self.as_json:
            if self.watch:
                give_json(line)
        elif not is_live():
            own = line["step"].startswith("aima.")  # AIMA's own work, such as asking for a slot
            if not own and (line["state"] != state or self.watch):
                self._say(row(line, self._width()))
        else:
            self.tree.words[line["step"]] = line["message"]
            self._draw()

    def _take_piece(self, piece: dict[str, Any]) -> None:
        """Take in what a step says; a late reader gets it from the beginning."""
        if self.as_json:
            if self.heard.is_news(piece):
                give_json(piece)
            return
        news = self.tree.answers.take(piece)
        if news is None:
            return
        if is_live():
            self._draw()
        else:
            for text in self.speech.lines(news):
                self._say(text)

    def _take_tree(self, line: dict[str, Any]) -> None:
        """Take the tree in; one without rows says that a second has passed."""
        if "rows" not in line:
            self._draw()
            return
        waits = [wait for wait in line["waits"] if wait not in self.tree.told.get("waits", ())]
        self.tree.told, self._told_at = line, time.monotonic()
        if self.as_json:
            if self.watch:
                give_json(line)
        elif is_live():
            self._draw()
        else:
            for wait in waits:
                command = command_for(wait, wait["run"])
                self._say(f"◷ {waiting_for(wait)}{f'  ({command})' if command else ''}")

    def _draw(self) -> None:
        """Draw the tree anew over what was drawn before."""
        if self.as_json or not is_live():
            return
        self.tree.age = time.monotonic() - self._told_at
        self._screen.draw(self.tree.lines(self._screen.height, self._screen.columns))

    @staticmethod
    def _say(text: str) -> None:
        say(f"  {text}")

    def _width(self) -> int:
        return max((len(name) for name in self.steps), default=0)

    def _wants_to_leave(self, run_id: str) -> bool:
        """Ask what Ctrl-C meant: leave the run alone, or cancel it; a second one cancels.

        Raises:
            KeyboardInterrupt: it is being cancelled already, and nobody wants to wait for it.
        """
        self._screen.leave()
        if self.cancelled:
            raise KeyboardInterrupt
        if self.asks() and _answer() == "d":
            if not self.settings.temporal.address:
                self.client.post("/stack/stay")
            say(f"It runs on. `aima status {run_id}` tells how far it is.")
            return True
        self.cancelled = True
        if not self.as_json:
            say("Cancelling …")
        with suppress(Conflict):  # it has just ended
            self.client.post(run_path(run_id, "cancel"))
        return False

    def _end(self, run_id: str, outcome: dict[str, Any], targets: Mapping[str, Path]) -> int:
        completed = outcome["state"] == "completed"
        failures = outputs.write(outcome["output"], targets, self.settings) if completed else {}
        failure = next(iter(failures.values()), None)
        if self.as_json:
            give_json(_told(outcome, failure))
        else:
            if completed:
                written = {key: file for key, file in targets.items() if key not in failures}
                outputs.show(outcome["output"], written)
            else:
                show_error(outcome)
            self._show_where(run_id)
            for error in failures.values():
                tell(error.message, code=error.code)
            if failures:
                say(f"nothing is lost: `aima status {run_id} -o KEY=FILE` writes an output")
        if failure is not None:
            return exit_code(failure.code, failure.status)
        if completed:
            return 0
        if self.alone and outcome["state"] == "failed":
            failed = error_class(outcome["error"]["code"])
            return exit_code(failed.code, failed.status)
        return _exit_code(outcome, cancelled=self.cancelled)

    def _show_where(self, run_id: str) -> None:
        """Tell where the run can be looked at."""
        settings = self.settings.temporal
        health = self.client.get("/health")
        page = f"/namespaces/{settings.namespace}/workflows/{run_id}"
        if settings.address:
            say(f"run {run_id}, at the Temporal server {settings.address}")
        elif health["stays"]:
            say(f"run {run_id}: {health['ui']}{page}")
        elif settings.ui_port:
            say(f"run {run_id}: `aima up`, then http://127.0.0.1:{settings.ui_port}{page}")
        else:
            say(f"run {run_id}: `aima status {run_id}` tells of it")


def _answer() -> str:
    """Ask until the answer is `d` or `c`; another Ctrl-C means `c`, as does the input's end."""
    try:
        while True:
            click.echo("\nDetach and let it run, or cancel it? [d/c] ", err=True, nl=False)
            line = sys.stdin.readline()
            answer = line.strip().lower()[:1]
            if answer in ("d", "c"):
                return answer
            if not line:
                return "c"
    except KeyboardInterrupt:
        return "c"


def _told(outcome: dict[str, Any], failure: AimaError | None) -> dict[str, Any]:
    told = {key: value for key, value in outcome.items() if key != "type" and value is not None}
    if failure is not None:
        error = {"code": failure.code, "message": failure.message}
        told["error"] = {**error, "retryable": failure.retryable}
    return told


def _exit_code(outcome: dict[str, Any], *, cancelled: bool) -> int:
    if outcome["state"] == "canceled":
        return INTERRUPTED if cancelled else FAILED
    return TIMEOUT if (outcome.get("error") or {}).get("code") == "TIMEOUT" else FAILED
