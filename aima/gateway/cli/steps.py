"""Steps and failures of a run as people see them."""

from __future__ import annotations

from typing import Any

from aima.gateway.cli.terminal import say, tint

ENDED = frozenset({"done", "failed", "cancelled"})

_SIGNS = {
    "waiting": ("·", "bright_black"),
    "running": ("▶", "cyan"),
    "retrying": ("↻", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "yellow"),
}
_MOST_SHOWN = 120


def row(step: dict[str, Any], width: int) -> str:
    """Draw one step; ``width`` is that of the longest step's name."""
    from aima.dsl.render import escaped

    sign, colour = _SIGNS.get(step["state"], ("?", "white"))
    seconds = f"{step['seconds']:6.2f} s" if step.get("seconds") is not None else " " * 8
    more = escaped(str(step.get("message") or "").partition("\n")[0])
    if step["state"] == "retrying":
        more = f"attempt {step['attempt']} comes; {more}"
    if len(more) > _MOST_SHOWN:
        more = more[:_MOST_SHOWN] + "…"
    name = escaped(step["step"])
    row = f"{name:<{width}}  {step['unit']:<22} {step['state']:<9} {seconds}  {more}"
    return f"{tint(sign, colour)} {row.rstrip()}"


def show_error(outcome: dict[str, Any]) -> None:
    """Print how a run failed."""
    from aima.dsl.render import escaped

    error = outcome.get("error") or {}
    head = tint(f"{outcome['state']}:", "red", bold=True)
    say(f"{head} {escaped(str(error.get('message')))} [{error.get('code')}]")
