"""A run's progress as Markdown, as the Temporal UI shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aima.workflows.outline import State, Told

MOST_ROWS = 40
"""A longer workflow shows counts; nobody reads a longer table."""

_MOST_NAMED = 10
_INDENT = "│\u2003"
"""The Temporal UI shows entities as they are written, so the wide space is itself."""
_GAP = "\u2003|"
"""The end of a cell: the Temporal UI lets the columns of a table touch each other."""
_SIGNS = {
    State.waiting: "·",
    State.running: "▶",
    State.done: "✓",
    State.failed: "✗",
    State.cancelled: "⊘",
    State.skipped: "↷",
    State.reused: "⤾",
}
_ENDINGS = (State.done, State.failed, State.cancelled, State.skipped)


def table(
    found: Sequence[Mapping[str, Any]], told: Told, run_id: str, namespace: str = "default"
) -> str:
    """Draw each step as a row, and below it what is waited for; children are links."""
    page = f"/namespaces/{namespace}/workflows/{quote(run_id, safe='')}"
    lines = ["| | step | does | |", "|--|--|--|--|"]
    section = ""
    for row in found:
        if row["section"] != section:
            section = row["section"]
            lines.append(f"| | **{section}** | | |")
        lines.append(_row(row, page))
    return "\n".join((*lines, *_notes(told, run_id)))


def summary(totals: Mapping[State, int], running: Sequence[str], told: Told, run_id: str) -> str:
    """Tell of many steps how many are where, and which of them are busy."""
    counts = ", ".join(f"{_SIGNS[s]} {totals[s]} {s}" for s in State if totals.get(s))
    named = ", ".join(f"`{step}`" for step in running[:_MOST_NAMED])
    more = f" and {len(running) - _MOST_NAMED} more" if len(running) > _MOST_NAMED else ""
    busy = [f"\nBusy: {named}{more}"] if running else []
    loops = [f"- `{step}`: {_of(told['loops'][step])}" for step in running if step in told["loops"]]
    return "\n".join((counts, *busy, *loops, *_notes(told, run_id)))


def how_far(row: Mapping[str, Any]) -> str:
    """Say in words how far a step is, beyond its state."""
    parts = []
    if "loop" in row:
        parts.append(_of(row["loop"]))
    if "rounds" in row:
        parts.append(f"round {_round(row)} of at most {row['most']}")
    if row.get("pass", 1) > 1:
        parts.append(f"pass {row['pass']}")
    if row.get("went_on"):
        parts.append("went on after an error")
    if "winner" in row:
        parts.append(f"branch {row['winner']} won")
    if "loop" not in row and "rounds" not in row and "times" in row:
        parts.append(", ".join(_times(row["times"])))
    if row.get("cached"):
        parts.append(f"{row['cached']} from cache" if "times" in row else "from cache")
    if row.get("undone"):
        parts.append("undone" if row["undone"] == 1 else f"{row['undone']} undone")
    return ", ".join(parts)


def _row(row: Mapping[str, Any], page: str) -> str:
    state = State(row["state"])
    indent = _INDENT * row["depth"]
    branch = f"*{row['branch']}:* " if row["branch"] else ""
    name = f"{indent}{branch}{row['step']}"
    does = row["does"]
    if "child" in row:
        does = f"[{does}]({page}%2F{row['child']})"
    return f"| {_SIGNS[state]} {state}{_GAP} {name}{_GAP} {does}{_GAP} {how_far(row)} |"


def _of(loop: Mapping[str, int]) -> str:
    """Say how many items of a loop are over."""
    failed = loop.get("failed", 0)
    over = f"{loop.get('done', 0) + failed}/{loop.get('all', 0)}"
    return f"{over}, {failed} failed" if failed else over


def _round(row: Mapping[str, Any]) -> int:
    done: int = row["rounds"]
    return done + 1 if row["state"] == State.running else done


def _times(times: Mapping[str, int]) -> Iterable[str]:
    if times.get("running"):
        yield f"{times['running']} running"
    yield from (f"{times[state]} {state}" for state in _ENDINGS if times.get(state))


def _notes(told: Told, run_id: str) -> Iterator[str]:
    """Tell what is undone and waited for, and how to answer."""
    undo = told["undo"]
    if told["status"] not in ("running", "output") and any(undo.values()):
        failed = f", {undo['failed']} could not be" if undo["failed"] else ""
        yield f"\nUndo: {undo['done']} undone{failed}, {undo['left']} left"
    waits: Sequence[Mapping[str, Any]] = told["waits"]
    if waits:
        yield "\nWaiting for:\n"
    for wait in waits:
        yield f"- {waiting_for(wait)}{_answer(wait, run_id)}"
    if told.get("more_waits"):
        yield f"- and {told['more_waits']} more"


def waiting_for(wait: Mapping[str, Any]) -> str:
    """Say what a step waits for."""
    what = wait.get("what")
    if wait["for"] == "approval":
        told = f"approval: {what}" if what else "approval"
    elif wait["for"] in ("signal", "event"):
        told = f"{wait['for']} {what}"
    else:
        told = wait["for"]
    if wait["step"]:
        told = f"{wait['step']}: {told}"
    return " ".join(told.split()) + (f", until {_moment(wait['until'])}" if "until" in wait else "")


def command_for(wait: Mapping[str, Any], run_id: str) -> str:
    """Give the command that answers a wait; empty where none does."""
    if wait["for"] == "approval":
        return f"aima approve {run_id} {wait['step']}"
    return f"aima signal {run_id} {wait['what']}" if wait["for"] == "signal" else ""


def _answer(wait: Mapping[str, Any], run_id: str) -> str:
    command = command_for(wait, run_id)
    return f" — `{command}`" if command else ""


def _moment(text: str) -> str:
    """Give a time of ISO 8601 without its fraction."""
    return f"{text[:10]} {text[11:19]} UTC"
