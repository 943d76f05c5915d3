"""``aima cancel``: stop a run."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import give_json


@click.command("cancel")
@click.argument("run_id")
@click.option("--json", "as_json", is_flag=True, help="Print how it ended as JSON.")
def command(*, run_id: str, as_json: bool) -> None:
    """Stop RUN_ID and wait until it has ended.

    Its running steps are cancelled, and the engines stop working for them.
    """
    from aima.gateway.cli.exits import FAILED
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    with stack(load_settings(), works=True) as client:
        client.post(run_path(run_id, "cancel"))
        ends = (e for e in client.lines(run_path(run_id, "events")) if e["type"] == "run")
        state = next((end["state"] for end in ends), "running")
    if as_json:
        give_json({"id": run_id, "state": state})
    else:
        click.echo(f"{run_id} is {state}")
    if state != "canceled":
        raise SystemExit(FAILED)
