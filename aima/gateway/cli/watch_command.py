"""``aima watch``: what a run says, while it says it, and what changes of a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import click

from aima.dsl.render import escaped
from aima.errors import NotFound
from aima.gateway.cli.answers import Answer, Answers, name_of
from aima.gateway.cli.exits import FAILED
from aima.gateway.cli.resource_watch import like_address, watch_resource
from aima.gateway.cli.steps import ENDED
from aima.gateway.cli.terminal import give_json, say, tint


@click.command("watch")
@click.argument("run_id")
@click.argument("step", default="")
@click.option("--since", default="", help="Of a resource: only what changed after this version.")
@click.option("--json", "as_json", is_flag=True, help="Print each piece as a line of JSON.")
def command(*, run_id: str, step: str, since: str, as_json: bool) -> None:
    """Print what RUN_ID says, or one STEP of it, from the beginning and as it comes.

    Steps with `stream: true` are heard, those of child runs as well; of several at once one after
    the other. A step that is tried again begins again, which is told on stderr. It ends with the
    run, or with the STEP. What a run has said is kept for five minutes after its last word; its
    output stays in `aima status`.

    An address in place of RUN_ID, as `aima get` lists them, is watched for its changes: first all
    that there is, then each change, until Ctrl-C. A `*` in it stands for each there is.

    \b
    aima watch RUN
    aima watch RUN chat > answer.txt
    aima watch asms://engines/status
    aima watch 'asms://engine/*'
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    if run_id.startswith("asms://"):
        if step:
            raise click.UsageError("a resource has no steps; write one address")
        watch_resource(run_id, since=since, as_json=as_json)
        return
    if since:
        raise click.UsageError("--since is for the address of a resource")
    with stack(load_settings(), works=True) as client:
        if step:
            _require(step, client.get(run_path(run_id)), run_id)
        lines = client.lines(run_path(run_id, "events?pieces=true"))
        try:
            well = _listen(lines, Voices(run_id, step), as_json=as_json)
        except NotFound as error:
            raise NotFound(error.message + like_address(client, run_id)) from error
    raise SystemExit(0 if well else FAILED)


def _listen(lines: Iterator[dict[str, Any]], voices: Voices, *, as_json: bool) -> bool:
    """Print what is said; tell whether it ended well."""
    well = False
    for line in lines:
        if line["type"] == "run":
            well = line["state"] == "completed"
        elif as_json and line["type"] == "piece" and voices.hears(line):
            give_json(line)
        elif not as_json:
            voices.take(line)
        if (well := well or voices.ends(line)) or voices.fails(line):
            break
    if not as_json:
        voices.end()
    return well


def _require(step: str, run: dict[str, Any], run_id: str) -> None:
    from aima.dsl.nearest import nearest
    from aima.errors import NotFound
    from aima.workflows.resume import step_in

    known = [row["step"] for row in run["rows"]]
    name = step_in(step.rpartition("/")[2])
    if "/" not in step and name not in known:
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
        raise NotFound(f"run {run_id!r} has no step {name!r}; {hint}")


@dataclass
class Voices:
    """The steps of a run that say something: one at a time, in the order they began."""

    run_id: str
    step: str = ""
    answers: Answers = field(default_factory=Answers)
    _queue: dict[str, Answer] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    _speaker: str = ""
    _printed: int = 0

    def hears(self, piece: dict[str, Any]) -> bool:
        """Tell whether a piece is of a step that was asked for."""
        return self.step in ("", name_of(piece["run"], piece["step"], self.run_id))

    def ends(self, line: dict[str, Any]) -> bool:
        """Tell whether the one step that was asked for has said all, or is done without a word."""
        if line["type"] == "piece":
            return bool(self.step) and self.hears(line) and bool(line["ended"])
        return line.get("step") == self.step and line.get("state") == "done"

    def fails(self, line: dict[str, Any]) -> bool:
        """Tell whether the one step that was asked for has failed for good."""
        return line.get("step") == self.step and line.get("state") in ("failed", "cancelled")

    def take(self, line: dict[str, Any]) -> None:
        """Print what is new."""
        if line["type"] == "step" and line["state"] in ENDED:
            self._over.add(line["step"])
        elif line["type"] == "piece" and self.hears(line):
            news = self.answers.take(line)
            if news is None:
                return
            name = name_of(line["run"], line["step"], self.run_id)
            self._queue[name] = news.answer
            if news.again and name == self._speaker:
                click.echo()
                say(tint(f"↻ {escaped(name)} begins again", "yellow"))
                self._printed = 0
        self._speak()

    def end(self) -> None:
        """Print what is left of steps that were cut short."""
        self._over |= set(self._queue)
        self._speak()
        if not self.answers.by_step:
            say(
                f"nothing is kept of what run {self.run_id!r} said; "
                f"`aima status {self.run_id}` shows its output"
            )

    def _speak(self) -> None:
        """Let the first of the queue speak, and the next one when it has said all."""
        while self._queue:
            name, answer = next(iter(self._queue.items()))
            if name != self._speaker and not self.step:
                say(tint(escaped(name), bold=True))
            if name != self._speaker:
                self._speaker, self._printed = name, 0
            new = answer.text[self._printed :]
            self._printed = len(answer.text)
            click.echo("\n".join(map(escaped, new.expandtabs(4).split("\n"))), nl=False)
            if not answer.ended and name not in self._over:
                return
            if not answer.text.endswith("\n"):
                click.echo()
            del self._queue[name]
            self._speaker = ""
