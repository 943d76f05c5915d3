"""``python -m aima.testing.engines DIALECT --port P``: a fake engine by itself."""

from __future__ import annotations

import os
import socket

import click
import uvicorn

from aima.testing.engines.faults import Faults
from aima.testing.engines.server import DIALECTS, app_of


@click.command()
@click.argument("dialect", type=click.Choice(sorted(DIALECTS)))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="On loopback; 0 takes a free one."
)
@click.option(
    "--set", "knobs", multiple=True, metavar="NAME=VALUE", help="A fault, such as ttft=1."
)
def main(dialect: str, port: int, knobs: tuple[str, ...]) -> None:
    """Run an engine that speaks DIALECT and thinks nothing; its address is printed."""
    names = [knob.partition("=")[0] for knob in knobs]
    wrong = [name for name in names if name not in Faults.model_fields]
    if wrong:
        raise click.BadParameter(
            f"there is no fault {wrong[0]!r}; {', '.join(Faults.model_fields)}"
        )
    faults = Faults.model_validate({**dict(knob.split("=", 1) for knob in knobs), **_lists(knobs)})
    faults.crash_by(lambda: os._exit(1))
    if faults.fail_start:
        raise SystemExit("a start that was asked to fail")
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or words wait for receipts
        click.echo(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(app_of(dialect, faults), log_level="warning"))
        server.run(sockets=[listener])


def _lists(knobs: tuple[str, ...]) -> dict[str, list[str]]:
    """Read the one knob that is a list: names with commas between them."""
    told = dict(knob.split("=", 1) for knob in knobs)
    return {"models": told["models"].split(",")} if "models" in told else {}


if __name__ == "__main__":
    main()
