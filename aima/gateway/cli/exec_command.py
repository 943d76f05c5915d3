"""``aima exec``: run one unit by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("exec")
@click.argument("unit")
@click.option(
    "-i",
    "inputs",
    multiple=True,
    metavar="KEY=VALUE",
    help="An input; @FILE reads a file, for a list also @FOLDER or @*.jpg.",
)
@click.option("--input-file", type=click.Path(path_type=Path), help="All inputs, JSON or YAML.")
@click.option("-o", "outputs", multiple=True, metavar="KEY=FILE", help="Write an output to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    *,
    unit: str,
    inputs: tuple[str, ...],
    input_file: Path | None,
    outputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run UNIT by itself, as a run of one step.

    \b
    aima exec inference.synthesize -i text="Good morning." -o audio=morning.wav
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from aima.errors import UnitNotFound
    from aima.gateway.cli.follow import Follower
    from aima.gateway.cli.inputs import read_input_file, read_pairs
    from aima.gateway.cli.models_command import fetch_for
    from aima.gateway.cli.outputs import check_targets
    from aima.gateway.cli.stack import other_project, stack
    from aima.gateway.units.installed import units_of
    from aima.settings import load_settings

    settings = load_settings()
    found = units_of(settings).get(unit)
    targets = check_targets(outputs, found.output.model_fields)
    schema = found.input.model_json_schema()
    values: dict[str, Any] = {}
    if input_file is not None:
        values |= read_input_file(input_file, settings, schema=schema)
    values |= read_pairs(inputs, settings, schema=schema)
    fetch_for(unit, settings)
    with stack(settings, works=True) as client:
        try:
            asked = {"unit": unit, "input": values, "options": {"async": True}}
            started = client.post("/api/v2/execute", asked)["data"]
        except UnitNotFound as error:
            raise UnitNotFound(error.message + other_project(client, settings)) from error
        told = {**started, "workflow": unit}
        code = Follower(client, settings, as_json=as_json, alone=True).follow(told, targets)
    raise SystemExit(code)
