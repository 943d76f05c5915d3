"""A run's tree as lines of text that fit a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aima.gateway.cli.answers import Answer, Answers, home
from aima.workflows.progress_table import command_for, how_far, waiting_for
from aima.workflows.resume import step_in

SIGNS = {
    "waiting": ("·", "bright_black"),
    "running": ("▶", "cyan"),
    "retrying": ("↻", "yellow"),
    "waits": ("◷", "magenta"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "yellow"),
    "skipped": ("↷", "bright_black"),
    "reused": ("⤾", "green"),
    "undone": ("↶", "yellow"),
}
_OVER = ("done", "skipped", "reused")
_ENDS = {"failed": "failed", "canceled": "cancelled", "terminated": "cancelled"}
_WIDEST_NAME = 36
MARGIN = 5
"""Cells of a line that are no text: two free, the sign and its space, and one at the end."""
_MOST_SPOKEN = 50
"""Characters of what one item of a loop says: a line each."""
_NARROWEST = 20
_LEAST_SAID = 3
"""So many lines of what a step is saying have precedence over steps that are over."""
_LONG = 1.0  # seconds after which it is told how long something takes already


@dataclass(frozen=True)
class Text:
    """One line: a sign with its colour, and text; ``whole`` is never cut, so it can be copied."""

    sign: str
    text: str
    whole: bool = False


@dataclass(frozen=True)
class Group:
    """What is shown of one step: its line, and those below it that belong to it.

    Attributes:
        said: what it has said so far; as many of the last lines are shown as there is room for.
    """

    row: Mapping[str, Any]
    main: Text
    more: tuple[Text, ...] = ()
    said: Answer | None = None

    @property
    def speaks(self) -> bool:
        """Tell whether it is saying something right now."""
        return self.said is not None and not self.said.ended

    def said_in(self, most: int, columns: int) -> list[Text]:
        """Give the last lines of what it has said."""
        if self.said is None:
            return []
        bar = f"{_pad(self.row)}│ "
        width = max(columns - MARGIN - len(bar), _NARROWEST)
        return [Text("", bar + line) for line in self.said.lines(width, most)]


@dataclass
class Tree:
    """What is known of a run's tree; the latest word counts.

    Attributes:
        words: what units tell of their progress, by the path of their step.
        answers: what steps say.
        age: seconds since the tree was told.
    """

    run_id: str
    told: Mapping[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    age: float = 0.0

    def ended(self, state: str) -> Tree:
        """Give the tree of a run that ended: nothing runs any more, whatever was told last."""
        end = _ENDS.get(state, "done")
        rows = [
            {**row, "state": end if row["state"] == "running" else row["state"], "busy": ()}
            for row in self.told.get("rows", ())
        ]
        return replace(self, told={**self.told, "rows": rows, "waits": ()}, answers=Answers())

    def lines(self, height: int, columns: int = 80) -> list[Text]:
        """Lay it out in at most so many lines: what is over is folded first, then what waits."""
        groups = list(self._groups())
        tail = list(self._tail())
        room = max(height - len(tail), 1)
        least = sum(len(g.said_in(_LEAST_SAID, columns)) for g in groups if g.speaks)
        for fold in (_whole, _fold_groups, _fold_steps, _fold_all):
            folded = fold(groups)
            if _size(folded) + least <= room:
                break
        found = _with_said(folded, room - _size(folded), columns)
        if len(found) > room:
            rest = len(found) - room + 1
            found = [*found[: room - 1], Text("", f"… {rest} more lines")]
        return [*found, *tail]

    def _groups(self) -> Iterator[Group]:
        rows: Sequence[Mapping[str, Any]] = self.told.get("rows", ())
        width = min(max((len(_name(row)) for row in rows), default=0), _WIDEST_NAME)
        section = ""
        for row in rows:
            if row["section"] != section and not row["under"]:
                section = row["section"]
                yield Group({**row, "state": "waiting", "depth": 0}, Text("", section))
            waits = [
                wait
                for wait in self.told.get("waits", ())
                if wait["run"] == row["run"] and wait["step"].partition("[")[0] == row["step"]
            ]
            yield self._group(row, waits, width)

    def _group(
        self, row: Mapping[str, Any], waits: Sequence[Mapping[str, Any]], width: int
    ) -> Group:
        busy: Sequence[Mapping[str, Any]] = row.get("busy", ())
        state = "undone" if row.get("undone") else row["state"]
        words, single = [how_far(row)], "loop" not in row and "times" not in row
        if len(busy) == 1 and (single or busy[0]["step"].startswith("undo:")):
            state = _sign_of(busy[0], state)
            words.append(self._at_work(busy[0]))
            busy = ()
        elif "seconds" in row:
            words.append(f"{row['seconds']:.2f} s")
        if waits:
            state = "waits"
        if len(waits) == 1:
            words.append(waiting_for({**waits[0], "step": ""}))
        what = ", ".join(filter(None, words))
        pad = _pad(row)
        answers = [a for a in self._answers_of(row) if single or not a.ended]
        said = answers[-1] if answers and (single or len(answers) == 1) else None
        ends = {} if said else {a.step: _end_of(a) for a in answers}
        news = ((b["step"], self._news(b, ends.get(b["step"], ""))) for b in busy)
        more = [Text("", f"{pad}{step}: {text}") for step, text in news if text]
        for wait in waits:
            if len(waits) > 1:
                more.append(Text("", f"{pad}{waiting_for(wait)}"))
            if command := command_for(wait, wait["run"]):
                more.append(Text("", f"{pad}{command}", whole=True))
        line = f"{_name(row):<{width}}  {row['does']:<20}  {what}".rstrip()
        return Group(row, Text(state, line), tuple(more), said)

    def _answers_of(self, row: Mapping[str, Any]) -> list[Answer]:
        return [
            answer
            for answer in self.answers.by_step.values()
            if home(answer.run) == row["run"] and step_in(answer.step) == row["step"]
        ]

    def _at_work(self, busy: Mapping[str, Any]) -> str:
        news = self._news(busy)
        seconds = busy["seconds"] + self.age
        took = f"{seconds:.0f} s" if busy["running"] and seconds >= _LONG else ""
        undo = "undoing" if busy["step"].startswith("undo:") else ""
        return ", ".join(filter(None, (undo, took, news)))

    def _news(self, busy: Mapping[str, Any], spoken: str = "") -> str:
        """Tell which attempt this is, when the next one comes, and what the unit says."""
        parts = []
        if busy["attempt"] > 1:
            most = f" of {busy['most']}" if busy["most"] else ""
            parts.append(f"attempt {busy['attempt']}{most}")
        if "next" in busy:
            parts.append(f"in {max(busy['next'] - self.age, 0):.0f} s")
        said = spoken or str(self.words.get(busy["step"]) or busy.get("failure", ""))
        told = " ".join(parts)
        return f"{told}: {said}" if told and said else f"{told}{said}"

    def _tail(self) -> Iterator[Text]:
        undo = self.told.get("undo") or {}
        if self.told.get("status") not in ("running", "output", None) and any(undo.values()):
            failed = f", {undo['failed']} could not be" if undo["failed"] else ""
            yield Text("", f"undo: {undo['done']} undone{failed}, {undo['left']} left")
        if self.told.get("more_waits"):
            yield Text("", f"and {self.told['more_waits']} more wait")
        waits = [w for w in self.told.get("waits", ()) if w["step"] == "this run"]
        yield from (Text("waits", waiting_for(wait)) for wait in waits)
        if self.told.get("silent"):
            begun = any(row["state"] != "waiting" for row in self.told.get("rows", ()))
            known = "no worker has answered: this is what the history tells"
            yield Text("", known if begun else "no worker has taken it up yet")


def _sign_of(busy: Mapping[str, Any], state: str) -> str:
    """Choose the sign of a step of which one attempt is at work."""
    if busy["step"].startswith("undo:"):
        return "undone"
    return "retrying" if "next" in busy else state


def _name(row: Mapping[str, Any]) -> str:
    branch = f"{row['branch']}: " if row["branch"] else ""
    return f"{'  ' * int(row['depth'])}{branch}{row['step']}"


def _size(groups: Sequence[Group]) -> int:
    return sum(1 + len(group.more) for group in groups)


def _end_of(answer: Answer) -> str:
    """Give the end of what one item of a loop says."""
    words = " ".join(answer.text[-2 * _MOST_SPOKEN :].split())
    return words if len(words) <= _MOST_SPOKEN else f"…{words[-_MOST_SPOKEN:]}"


def _pad(row: Mapping[str, Any]) -> str:
    return " " * (2 * int(row["depth"]) + 2)


def _with_said(groups: Sequence[Group], spare: int, columns: int) -> list[Text]:
    """Give all lines; those who speak now get the spare ones first, then the latest."""
    said: dict[int, list[Text]] = {}
    latest = groups[::-1]
    for group in [*(g for g in latest if g.speaks), *(g for g in latest if not g.speaks)]:
        said[id(group)] = group.said_in(spare, columns)
        spare -= len(said[id(group)])
    return [text for g in groups for text in (g.main, *g.more, *said[id(g)])]


def _whole(groups: Sequence[Group]) -> list[Group]:
    return list(groups)


def _fold_groups(groups: Sequence[Group]) -> list[Group]:
    """Leave out what is inside of what is over."""
    kept: list[Group] = []
    deepest: int | None = None
    for group in groups:
        depth = group.row["depth"]
        if deepest is not None and depth > deepest:
            continue
        deepest = depth if group.row["state"] in _OVER else None
        kept.append(group)
    return kept


def _fold_steps(groups: Sequence[Group]) -> list[Group]:
    """Count neighbours that are over instead of showing them."""
    return _fold(_fold_groups(groups), _OVER, "done", "done")


def _fold_all(groups: Sequence[Group]) -> list[Group]:
    """Count those that are still to come as well."""
    return _fold(_fold_steps(groups), ("waiting",), "waiting", "to come")


def _fold(groups: Sequence[Group], states: Sequence[str], sign: str, word: str) -> list[Group]:
    kept: list[Group] = []
    folding: list[Group] = []

    def close() -> None:
        if len(folding) > 1:
            depth = min(group.row["depth"] for group in folding)
            text = f"{'  ' * depth}{len(folding)} steps {word}"
            row = {"depth": depth, "state": "folded"}
            kept.append(Group(row, Text(sign, text)))
        else:
            kept.extend(folding)
        folding.clear()

    for group in groups:
        if group.row["state"] in states and not group.more and "step" in group.row:
            folding.append(group)
        else:
            close()
            kept.append(group)
    close()
    return kept
