"""``aima retry``: run again what a run did not finish."""

from __future__ import annotations

import click


@click.command("retry")
@click.argument("run_id")
@click.option("--from", "start", default="", metavar="STEP", help="Begin again with this step.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a config value.")
@click.option("--detach", is_flag=True, help="Start it and return at once.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(*, run_id: str, start: str, sets: tuple[str, ...], detach: bool, as_json: bool) -> None:
    """Start a new run that reuses what RUN_ID finished.

    Steps run again that failed or were never reached, were undone, or wait for such; of a loop
    the items that did not end well. With --from also STEP, and what waits for it. What is reused
    has no effect again; what was undone, and what --from names, has. The input stays as it was:
    finished steps have read it.

    \b
    aima retry RUN_ID
    aima retry RUN_ID --from summarize --set model=larger
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from aima.gateway.cli.again import again
    from aima.gateway.cli.inputs import read_json_or_text, split_pair

    config = {key: read_json_or_text(text) for key, text in map(split_pair, sets)}
    body = {"from": start, "config": config}
    raise SystemExit(again(run_id, "retry", body, detach=detach, as_json=as_json))
