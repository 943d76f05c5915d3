"""``aima exec``: run one unit by itself."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("exec")
@click.argument("unit")
@click.option(
    "-i", "inputs", multiple=True, metavar="KEY=VALUE", help="An input; @FILE reads a file."
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
    r"""Run UNIT by itself, as a run of one step.

    \b
    aima exec inference.synthesize -i text="Good morning." -o audio=morning.wav
    """
    from aima.gateway.cli.follow import Follower
    from aima.gateway.cli.inputs import read_input_file, read_pairs
    from aima.gateway.cli.outputs import check_targets
    from aima.gateway.cli.run_command import stack
    from aima.settings import load_settings
    from aima.worker import units_of

    settings = load_settings()
    schema = units_of(settings).get(unit).input.model_json_schema()
    targets = check_targets(outputs)
    values = read_input_file(input_file) if input_file is not None else {}
    values |= read_pairs(inputs, settings, schema=schema, base=Path())
    with stack(settings) as client:
        started = client.post("/api/v2/execute", {"unit": unit, "input": values})
        told = {**started, "workflow": unit}
        code = Follower(client, settings, as_json=as_json).follow(told, targets)
    raise SystemExit(code)
