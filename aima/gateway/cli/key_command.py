"""``aima key``: the keys that open AIMA's door to programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from aima.gateway.cli.terminal import give_json, say

PATH = "/api/v2/keys"


@click.group("key")
def command() -> None:
    """Make, list and end the keys that open AIMA's API."""


@command.command("create")
@click.argument("name")
@click.option(
    "--role",
    default="operator",
    show_default=True,
    type=click.Choice(["viewer", "operator", "author", "admin", "device"]),
    help="What it may do: look, use units and models, also give workflows, everything.",
)
@click.option("--scope", "scopes", multiple=True, help="Only this permission of the role; repeat.")
@click.option("--lasts", help="After how long it ends, such as 30d. Absent: never.")
@click.option("--per-minute", type=int, help="How often it may ask. Absent: as its role may.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(  # noqa: PLR0913 - one for each option
    *,
    name: str,
    role: str,
    scopes: tuple[str, ...],
    lasts: str | None,
    per_minute: int | None,
    as_json: bool,
) -> None:
    """Make a key and print it; it is kept nowhere and never told again."""
    body: dict[str, Any] = {"name": name, "role": role, "scopes": list(scopes) or None}
    told = _client("POST", PATH, body | {"lasts": lasts, "per_minute": per_minute})
    if as_json:
        give_json(told)
        return
    say(f"key {told['name']!r}, {told['role']}, {_ends(told)}; put it where only you can read it")
    click.echo(told["key"])


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that were revoked.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, everything: bool, as_json: bool) -> None:
    """List the keys, without what opens the door."""
    told = _client("GET", PATH)
    if as_json:
        give_json(told)
        return
    shown = [key for key in told["keys"] if everything or not key["revoked_at"]]
    for key in shown:
        used = f"used {_local(key['used_at'])}" if key["used_at"] else "never used"
        ended = ", revoked" if key["revoked_at"] else ""
        click.echo(f"{key['id']}  {key['role']:<9} {key['name']:<20}  {used}, {_ends(key)}{ended}")
    if not shown:
        say("no keys yet; `aima up` makes the first, `aima key create NAME` another")


@command.command("revoke")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def revoke(*, name: str, as_json: bool) -> None:
    """End a key, given by its name or id; at once it opens nothing."""
    from urllib.parse import quote

    told = _client("DELETE", f"{PATH}/{quote(name, safe='')}")
    if as_json:
        give_json(told)
    else:
        say(f"key {told['name']!r} is revoked")


def _client(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        match method:
            case "POST":
                return client.post(path, body)
            case "DELETE":
                return client.delete(path)
            case _:
                return client.get(path)


def _ends(key: dict[str, Any]) -> str:
    return f"until {_local(key['expires_at'])}" if key["expires_at"] else "without an end"


def _local(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
