"""``aima get``: what AIMA manages, each thing at an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from aima.gateway.cli.terminal import give_json

PATH = "/api/v2/resources"
SCHEME = "asms://"


@click.command("get")
@click.argument("uri", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, uri: str, as_json: bool) -> None:
    """Read the resource at URI, or list what there are.

    The scheme may be left out. A DOMAIN with one resource of a fixed address stands for it. A `*`
    stands for each there is.

    \b
    aima get
    aima get engines
    aima get asms://pipeline/voice-assistant
    aima get 'engine/*'
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from aima.gateway.cli.resource_view import rows
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        listed = client.get(PATH)
        address = _address(uri, listed)
        told = client.get(resource_path(address)) if address else _of_domain(uri, listed)
    if as_json:
        give_json(told)
        return
    lines = _page(told) if address else rows(_titles(told), longest=100)
    for line in lines:
        click.echo(line)


def resource_path(uri: str, more: str = "") -> str:
    """Give the address at the door; whatever a URI holds stays within it."""
    from urllib.parse import quote

    return f"{PATH}{more}?uri={quote(uri, safe='')}"


def _address(uri: str, listed: dict[str, Any]) -> str:
    """Complete an address; nothing for a domain that has several."""
    fixed = [row["uri"] for row in listed["resources"]]
    if uri.startswith(SCHEME) or "/" in uri:
        return SCHEME + uri.removeprefix(SCHEME)
    below = [name for name in fixed if name == SCHEME + uri or name.startswith(f"{SCHEME}{uri}/")]
    return below[0] if uri and len(below) == 1 else ""


def _page(told: dict[str, Any]) -> Iterator[str]:
    """Give the lines of a resource, or of all that are of a pattern."""
    from aima.gateway.cli.resource_view import page, rows

    if "*" not in told["uri"]:
        return page(told["data"])
    found = [{"uri": row["uri"], **row["data"]} for row in told["data"]["items"]]
    return rows(found) if found else iter(("nothing there is of this form",))


def _of_domain(domain: str, listed: dict[str, Any]) -> dict[str, Any]:
    """List the resources of a domain.

    Raises:
        NotFound: it has none.
    """
    from aima.dsl.nearest import nearest
    from aima.errors import NotFound

    found = {
        kind: [row for row in listed[kind] if not domain or _domain(row) == domain]
        for kind in ("resources", "templates")
    }
    if not any(found.values()):
        near = nearest(domain, {_domain(row) for kind in listed.values() for row in kind})
        hint = f"did you mean {near!r}?" if near else "`aima get` lists what there are"
        raise NotFound(f"there are no resources {domain!r}; {hint}")
    return found


def _domain(row: dict[str, str]) -> str:
    return _uri(row).removeprefix(SCHEME).partition("/")[0]


def _uri(row: dict[str, str]) -> str:
    return row.get("uri") or row["uri_template"]


def _titles(listed: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"uri": _uri(row), "title": row["title"]} for kind in listed.values() for row in kind]
