"""``aima explain``: what a code of the checker means, with a wrong and a right example."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import give_json, tint


@click.command("explain")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, code: str | None, as_json: bool) -> None:
    """Tell what a code of `aima check` means, with a wrong and a right example.

    CODE stands in brackets in each message, such as step/cycle. Without one, all are listed.
    """
    meanings = _meanings()
    if code is None:
        _list(meanings, as_json=as_json)
        return
    page = _page(code, meanings)
    if as_json:
        give_json({"code": code, "meaning": meanings[code], "page": page})
        return
    for line in page.splitlines():
        heading = line.startswith("#")
        click.echo(tint(line.lstrip("# "), bold=True) if heading else line)


def _meanings() -> dict[str, str]:
    from aima.dsl.diagnostic import CODES
    from aima.workflows.constructs import language

    language()  # declares the codes of the constructs
    return dict(sorted(CODES.items()))


def _list(meanings: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        give_json(meanings)
        return
    width = max(map(len, meanings))
    for code, meaning in meanings.items():
        click.echo(f"{tint(code.ljust(width), bold=True)}  {meaning}")


def _page(code: str, meanings: dict[str, str]) -> str:
    from aima.dsl.nearest import nearest
    from aima.errors import NotFound
    from aima.gateway.explain import page_of

    if code not in meanings or not (page := page_of(code)):
        near = nearest(code, meanings)
        hint = f"did you mean {near!r}?" if near else "`aima explain` lists them"
        raise NotFound(f"there is no code {code[:60]!r}; {hint}")
    return page
