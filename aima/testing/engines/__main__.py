"""``python -m aima.testing.engines DIALECT --port P``: a fake engine by itself."""

from __future__ import annotations

import click
import uvicorn

from aima.testing.engines.faults import Faults
from aima.testing.engines.server import DIALECTS, app_of


@click.command()
@click.argument("dialect", type=click.Choice(sorted(DIALECTS)))
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="On loopback.")
@click.option(
    "--set", "knobs", multiple=True, metavar="NAME=VALUE", help="A fault, such as ttft=1."
)
def main(dialect: str, port: int, knobs: tuple[str, ...]) -> None:
    """Run an engine that speaks DIALECT and thinks nothing."""
    faults = Faults.model_validate(dict(knob.split("=", 1) for knob in knobs))
    uvicorn.run(app_of(dialect, faults), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
