"""``aima run``: run a workflow and show what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aima.gateway.cli.stack_client import StackClient
    from aima.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    workflow: str
    inputs: tuple[str, ...]
    input_file: Path | None
    example: bool
    sets: tuple[str, ...]
    outputs: tuple[str, ...]
    run_id: str
    detach: bool
    watch: bool
    as_json: bool


@click.command("run")
@click.argument("workflow")
@click.option(
    "-i", "inputs", multiple=True, metavar="KEY=VALUE", help="An input; @FILE reads a file."
)
@click.option("--input-file", type=click.Path(path_type=Path), help="All inputs, JSON or YAML.")
@click.option("--example", is_flag=True, help="Use the workflow's own example input.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a config value.")
@click.option("-o", "outputs", multiple=True, metavar="KEY=FILE", help="Write an output to a file.")
@click.option("--id", "run_id", default="", help="Id of the run; made up unless given.")
@click.option("--detach", is_flag=True, help="Start it and return at once.")
@click.option("--watch", is_flag=True, help="Print every change, also with --json.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(**asked: Any) -> None:  # noqa: ANN401 - click's values, typed by Asked
    r"""Run WORKFLOW, a file or the name of one.

    \b
    aima run voice-assistant --example -o audio=answer.wav
    aima run ./mine.yaml -i audio=@question.wav --set voice=af_heart
    """
    from aima.settings import load_settings

    raise SystemExit(run(Asked(**asked), load_settings()))


def run(asked: Asked, settings: Settings) -> int:
    """Run a workflow; give the exit code."""
    from aima.gateway.cli.follow import Follower
    from aima.gateway.cli.outputs import check_targets
    from aima.gateway.cli.stack_client import Refused
    from aima.shipped import find_workflow

    file = find_workflow(asked.workflow, settings.root)
    text = file.read_bytes()
    targets = check_targets(asked.outputs)
    request = {
        "text": text.decode(errors="surrogateescape"),
        "file": _shown(file),
        "input": _input(asked, settings, file=file, text=text),
        "config": _config(asked.sets),
        "id": asked.run_id,
    }
    _fetch_models(text, settings)
    with stack(settings, stays=asked.detach) as client:
        try:
            started = client.post("/api/v2/runs", request)
        except Refused as refused:
            return _refuse(refused.diagnostics, request, as_json=asked.as_json)
        if asked.detach:
            client.post("/stack/stay")
            _tell_detached(started, as_json=asked.as_json)
            return 0
        follower = Follower(client, settings, as_json=asked.as_json, watch=asked.watch)
        return follower.follow(started, targets)


@contextmanager
def stack(settings: Settings, *, stays: bool = False) -> Iterator[StackClient]:
    """Use the running stack, or bring one up; hold it while the block runs."""
    from aima.gateway.cli.stack_client import find_stack, start_stack

    client = find_stack(settings) or start_stack(settings, stays=stays)
    with client.attached():
        yield client
    if not client.state.stays and not stays:
        client.wait_until_gone()


def _input(asked: Asked, settings: Settings, *, file: Path, text: bytes) -> dict[str, Any]:
    from aima.gateway.cli.inputs import example_of, read_input_file, read_pairs

    schema: Mapping[str, Any] = {}
    if asked.inputs or asked.example:
        schema = _schema(text, file)
    values: dict[str, Any] = {}
    if asked.example:
        values |= example_of(schema, file, settings)
    if asked.input_file is not None:
        values |= read_input_file(asked.input_file)
    return values | read_pairs(asked.inputs, settings, schema=schema, base=Path())


def _schema(text: bytes, file: Path) -> Mapping[str, Any]:
    """Read a workflow's `inputs`; a file that cannot be read is the checker's to tell."""
    from aima.dsl.load import load
    from aima.dsl.node import Mapping as MappingNode
    from aima.dsl.node import to_json

    _, root, _ = load(text, str(file))
    inputs = root.get("inputs") if isinstance(root, MappingNode) else None
    schema = to_json(inputs) if inputs is not None else None
    return schema if isinstance(schema, dict) else {}


def _config(sets: tuple[str, ...]) -> dict[str, Any]:
    from aima.gateway.cli.inputs import read_json_or_text, split_pair

    return {key: read_json_or_text(value) for key, value in map(split_pair, sets)}


def _fetch_models(text: bytes, settings: Settings) -> None:
    """Bring the embedded models in before their first use, where it can be seen."""
    if b"inference." in text and settings.embedded.enabled and not settings.embedded.url:
        from aima.gateway.cli.models_command import fetch

        fetch("embedded", settings)


def _refuse(found: list[dict[str, Any]], request: dict[str, Any], *, as_json: bool) -> int:
    from aima.gateway.cli.diagnostics import show
    from aima.gateway.cli.exits import USAGE

    if as_json:
        click.echo(json.dumps({"error": {"code": "VALIDATION_ERROR"}, "diagnostics": found}))
    else:
        show(found, text=request["text"], file=request["file"])
    return USAGE


def _tell_detached(started: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(started))
        return
    click.echo(started["id"])
    click.echo(f"Running on its own. `aima status {started['id']}` tells how far it is.", err=True)


def _shown(file: Path) -> str:
    """Name a file as short as it can be."""
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(file)
