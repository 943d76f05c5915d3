"""``aima approve``: answer a step that waits for a person."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import say


@click.command("approve")
@click.argument("run_id")
@click.argument("step")
@click.option("--reject", is_flag=True, help="Say no.")
@click.option("--comment", default="", help="Why.")
@click.option("--id", "message_id", default="", help="Sent twice with one id, it counts once.")
def command(*, run_id: str, step: str, reject: bool, comment: str, message_id: str) -> None:
    """Say yes to STEP of RUN_ID, such as `review` or, in a loop, `review[3]`.

    It is said in the name of the user of this computer who runs the command.
    """
    from getpass import getuser
    from urllib.parse import quote

    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    who = getuser()
    body = {"approved": not reject, "by": who, "comment": comment, "id": message_id}
    with stack(load_settings(), works=True) as client:
        client.post(run_path(run_id, f"approvals/{quote(step, safe='')}"), body)
    say(f"{who} has {'rejected' if reject else 'approved'} {step} of {run_id}")
