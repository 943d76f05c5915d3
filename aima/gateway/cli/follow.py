"""Following a run: live progress, the answer to Ctrl-C, and the result."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from aima.gateway.cli import outputs
from aima.gateway.cli.exits import FAILED, INTERRUPTED, TIMEOUT
from aima.gateway.cli.stack_client import StackClient
from aima.settings import Settings

_SIGNS = {
    "waiting": ("·", "bright_black"),
    "running": ("▶", "cyan"),
    "retrying": ("↻", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "yellow"),
}


@dataclass
class Follower:
    """Follows one run to its end."""

    client: StackClient
    settings: Settings
    as_json: bool = False
    watch: bool = False
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    interrupted: bool = False
    _drawn: int = 0

    def follow(self, started: dict[str, Any], targets: dict[str, Path]) -> int:
        """Show a run until it ends; write its outputs; give the exit code."""
        run_id = started["id"]
        if not self.as_json:
            click.echo(f"{click.style(started['workflow'], bold=True)}  {run_id}", err=True)
            for step in started.get("steps", ()):
                self.steps[step["step"]] = {**step, "state": "waiting", "seconds": None}
        while True:
            try:
                outcome = self._read(run_id)
                break
            except KeyboardInterrupt:
                if self._wants_to_leave(run_id):
                    return 0
        return self._end(run_id, outcome, targets)

    def _read(self, run_id: str) -> dict[str, Any]:
        self._draw()
        for line in self.client.lines(f"/api/v2/runs/{run_id}/events"):
            if line["type"] == "run":
                return line
            if self.watch and self.as_json:
                click.echo(json.dumps(line, ensure_ascii=False))
            self._change(line)
        return {"state": "failed", "error": {"code": "EXECUTION_FAILED", "message": "no end told"}}

    def _change(self, line: dict[str, Any]) -> None:
        before = self.steps.get(line["step"], {})
        self.steps[line["step"]] = line
        if self.as_json or before.get("state") == line["state"] == "done":
            return
        if sys.stderr.isatty():
            self._draw()
        elif line["state"] not in ("waiting", before.get("state")) or self.watch:
            click.echo("  " + row(line, self._width()), err=True)

    def _draw(self) -> None:
        """Draw all steps anew over what was drawn before."""
        if self.as_json or not sys.stderr.isatty():
            return
        rows = [row(step, self._width()) for step in self.steps.values()]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        click.echo(up + "".join(f"\x1b[2K  {row}\n" for row in rows), err=True, nl=False)
        self._drawn = len(rows)

    def _width(self) -> int:
        return max((len(name) for name in self.steps), default=0)

    def _wants_to_leave(self, run_id: str) -> bool:
        """Ask what Ctrl-C meant: leave the run alone, or cancel it; a second one cancels."""
        answer = "c"
        if sys.stdin.isatty() and not self.interrupted:
            try:
                answer = input("\nDetach and let it run, or cancel it? [d/c] ").strip().lower()
            except (KeyboardInterrupt, EOFError):
                answer = "c"
        if answer.startswith("d"):
            self.client.post("/stack/stay")
            click.echo(f"It runs on. `aima status {run_id}` tells how far it is.", err=True)
            return True
        if not self.interrupted:
            click.echo("Cancelling …", err=True)
            self.client.post(f"/api/v2/runs/{run_id}/cancel")
        self.interrupted = True
        self._drawn = 0
        return False

    def _end(self, run_id: str, outcome: dict[str, Any], targets: dict[str, Path]) -> int:
        completed = outcome["state"] == "completed"
        written = outputs.write(outcome["output"], targets, self.settings) if completed else {}
        if self.as_json:
            told = {k: v for k, v in outcome.items() if k != "type" and v is not None}
            click.echo(json.dumps(told, ensure_ascii=False))
        elif completed:
            outputs.show(outcome["output"], written)
            self._show_where(run_id)
        else:
            show_error(outcome)
            self._show_where(run_id)
        return 0 if completed else _exit_code(outcome, interrupted=self.interrupted)

    def _show_where(self, run_id: str) -> None:
        stays = self.client.get("/health")["stays"]
        port = self.settings.temporal.ui_port
        namespace = self.settings.temporal.namespace
        page = f"http://127.0.0.1:{port}/namespaces/{namespace}/workflows/{run_id}"
        if self.settings.temporal.address:
            click.echo(f"run {run_id}", err=True)
        else:
            first = "" if stays else "`aima up`, then "
            click.echo(f"run {run_id}: {first}{page}", err=True)


def row(step: dict[str, Any], width: int) -> str:
    """Draw one step."""
    from aima.dsl.render import escaped

    sign, colour = _SIGNS.get(step["state"], ("?", "white"))
    seconds = f"{step['seconds']:6.2f} s" if step.get("seconds") is not None else " " * 8
    more = escaped(str(step.get("message") or "").partition("\n")[0])[:60]
    if step["state"] == "retrying":
        more = f"attempt {step['attempt']} comes; {more}"
    row = f"{step['step']:<{width}}  {step['unit']:<22} {step['state']:<9} {seconds}  {more}"
    return f"{click.style(sign, fg=colour)} {row.rstrip()}"


def show_error(outcome: dict[str, Any]) -> None:
    """Print how a run failed."""
    from aima.dsl.render import escaped

    error = outcome.get("error") or {}
    head = click.style(f"{outcome['state']}:", fg="red", bold=True)
    click.echo(f"{head} {escaped(str(error.get('message')))} [{error.get('code')}]", err=True)


def _exit_code(outcome: dict[str, Any], *, interrupted: bool) -> int:
    if outcome["state"] == "canceled":
        return INTERRUPTED if interrupted else FAILED
    return TIMEOUT if (outcome.get("error") or {}).get("code") == "TIMEOUT" else FAILED
