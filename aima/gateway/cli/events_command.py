"""``aima events``: what happened, as CloudEvents."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from aima.gateway.cli.exits import until_interrupted
from aima.gateway.cli.terminal import give_json, say

PATH = "/api/v2/events"
_LONGEST_DATA = 200


@click.command("events")
@click.option("--type", "types", multiple=True, help="Only this type, or `model.*`; repeat.")
@click.option("--since", default="", help="Only those after this number, its `sequence`.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--follow", "-f", is_flag=True, help="Go on with each event as it comes.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
def command(*, types: tuple[str, ...], since: str, limit: int, follow: bool, as_json: bool) -> None:
    """List the latest events, or those after a number, and follow them.

    \b
    aima events --type pipeline.failed
    aima events --follow --type 'model.*' --json
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from urllib.parse import urlencode

    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    asked = [("type", text) for text in types] + [("limit", str(limit))]
    with stack(load_settings()) as client:
        more = [("since", since)] if since else []
        page = client.get(f"{PATH}?{urlencode([*asked, *more])}")
        for event in page["events"]:
            _tell(event, as_json=as_json)
        if follow:
            after = [*asked, ("since", page["next"]), ("follow", "true")]
            with until_interrupted():
                for event in client.events(f"{PATH}?{urlencode(after)}"):
                    _tell(event, as_json=as_json)
    if not page["events"] and not as_json:
        say("no such event" if types or since else "nothing has happened yet")


def _tell(event: dict[str, Any], *, as_json: bool) -> None:
    from aima.dsl.render import escaped

    if as_json:
        give_json(event)
        return
    moment = datetime.fromisoformat(event["time"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    about = event.get("subject") or event["source"]
    data = json.dumps(event["data"], ensure_ascii=False)
    data = data if len(data) <= _LONGEST_DATA else data[: _LONGEST_DATA - 1] + "…"
    click.echo(f"{moment}  {escaped(event['type']):<26}  {escaped(about)}  {escaped(data)}")
