"""``aima audit``: who commanded what at AIMA's door, and whether somebody has changed the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from aima.gateway.cli.terminal import give_json, say

PATH = "/api/v2/audit"


@click.command("audit")
@click.option("--limit", default=20, show_default=True, help="How many, the latest first.")
@click.option("--before", type=int, help="Only those with a smaller number.")
@click.option("--verify", is_flag=True, help="See whether the log was changed anywhere.")
@click.option("--head", default="", help="What --verify told before, SEQ:HASH; it must still hold.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, limit: int, before: int | None, verify: bool, head: str, as_json: bool) -> None:
    """List who commanded what at the door; with --verify look for changes of that list."""
    if verify or head:
        _verify(head, as_json=as_json)
        return
    more = f"&before={before}" if before is not None else ""
    told = _get(f"{PATH}?limit={limit}{more}")
    if as_json:
        give_json(told)
        return
    for row in told["commands"]:
        about = " ".join(filter(None, (row["action"], row["subject"], row["run"])))
        who = row["caller"] or "the public"
        click.echo(f"{row['seq']:>6}  {_local(row['time'])}  {row['status']}  {who:<16}  {about}")
    if not told["commands"]:
        say("nobody has commanded anything yet")


def _verify(head: str, *, as_json: bool) -> None:
    from urllib.parse import quote

    from aima.errors import Conflict

    told = _get(f"{PATH}/verify?head={quote(head)}")
    if as_json:
        give_json(told)
    else:
        for fault in told["faults"]:
            click.echo(fault)
        if told["ok"]:
            say(f"{told['rows']} commands, and nothing was changed; note {told['head'] or 'none'}")
    if not told["ok"]:
        raise Conflict("the audit log was changed; a backup tells what it said before")


def _get(path: str) -> Any:  # noqa: ANN401 - JSON
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        return client.get(path)


def _local(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
