"""A run's tree on a screen: everything where there is room, the busy steps where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from aima.gateway.cli.tree import Tree

Row = dict[str, Any]


def row(step: str, state: str = "waiting", *, depth: int = 0, **more: object) -> Row:
    """Make a row of a tree."""
    told = {"under": "", "branch": "", "section": "", "does": "lab.echo", "run": "r"}
    return {**told, "step": step, "depth": depth, "state": state, **more}


def shown(rows: list[Row], height: int = 100, **told: object) -> list[str]:
    """Lay a tree out; give the signs and the text of each line."""
    tree = Tree("r", {"rows": rows, **told}, age=1.0)
    return [f"{line.sign} {' '.join(line.text.split())}".strip() for line in tree.lines(height)]


def test_a_loop_tells_how_many_of_its_items_are_over() -> None:
    """That is what somebody who waits for a thousand pages wants to know."""
    loop = {"done": 11, "failed": 1, "all": 100}
    inner = row("read", "running", depth=1, times={"running": 4, "done": 11})
    assert shown([row("pages", "running", loop=loop), inner]) == [
        "running pages lab.echo 12/100, 1 failed",
        "running read lab.echo 4 running, 11 done",
    ]


def test_what_came_from_the_cache_is_told() -> None:
    """No unit ran for it, which explains why it took no time; in a loop it is counted."""
    rows = [
        row("once", "done", cached=1, seconds=0.01),
        row("each", "done", cached=2, times={"done": 3}),
    ]
    assert shown(rows) == [
        "done once lab.echo from cache, 0.01 s",
        "done each lab.echo 3 done, 2 from cache",
    ]


def test_a_repeat_tells_its_round() -> None:
    """And after how many it gives up."""
    assert shown([row("polish", "running", rounds=2, most=6)]) == [
        "running polish lab.echo round 3 of at most 6"
    ]


def test_a_wait_shows_the_command_that_answers_it() -> None:
    """It is copied from here, so it is never cut."""
    wait = {"run": "r", "step": "review", "for": "approval", "what": "Send?"}
    tree = Tree("r", {"rows": [row("review", "running")], "waits": [wait]})
    main, command = tree.lines(10)
    assert (main.sign, main.text.split()) == ("waits", ["review", "lab.echo", "approval:", "Send?"])
    assert (command.text.strip(), command.whole) == ("aima approve r review", True)


def test_waits_in_a_loop_are_told_one_by_one() -> None:
    """Each has an address of its own."""
    waits = [{"run": "r", "step": f"ok[{i}]", "for": "signal", "what": "go"} for i in (0, 1)]
    assert shown([row("ok", "running", times={"running": 2})], waits=waits) == [
        "waits ok lab.echo 2 running",
        "ok[0]: signal go",
        "aima signal r go",
        "ok[1]: signal go",
        "aima signal r go",
    ]


def test_a_retry_counts_down_to_its_next_attempt() -> None:
    """Between two looks at the run time passes too."""
    busy = {"step": "a", "attempt": 2, "most": 4, "running": False, "seconds": 0.0, "next": 3.0}
    rows = [row("a", "running", busy=[{**busy, "failure": "away"}])]
    assert shown(rows) == ["retrying a lab.echo attempt 2 of 4 in 2 s: away"]


def test_an_undo_is_shown_at_the_step_that_it_undoes() -> None:
    """With how many are left."""
    busy = {"step": "undo:a", "attempt": 1, "most": 4, "running": True, "seconds": 2.0}
    undo = {"left": 1, "done": 1, "failed": 0}
    rows = [row("a", "done", busy=[busy]), row("b", "done", undone=1)]
    assert shown(rows, undo=undo, status="error") == [
        "undone a lab.echo undoing, 3 s",
        "undone b lab.echo undone",
        "undo: 1 undone, 1 left",
    ]


MANY = [
    row("first", "done"),
    row("group", "done"),
    *(row(f"inner{i}", "done", depth=1, under="group") for i in range(10)),
    row("second", "done"),
    row("busy", "running"),
    row("third"),
    row("fourth"),
]


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        (6, ["done first", "done group", "done second", "running busy", "waiting third"]),
        (4, ["done 3 steps done", "running busy", "waiting third", "waiting fourth"]),
        (3, ["done 3 steps done", "running busy", "waiting 2 steps to come"]),
        (2, ["done 3 steps done", "… 2 more lines"]),
    ],
)
def test_what_does_not_fit_is_folded_and_what_is_busy_stays(
    height: int, expected: list[str]
) -> None:
    """A screenful at most; what is over is what is missed least."""
    lines = [line.replace(" lab.echo", "") for line in shown(MANY, height)]
    assert lines[: len(expected)] == expected
    assert len(lines) <= height


def test_a_run_that_failed_has_nothing_running_any_more() -> None:
    """The last look at it may have been before its end."""
    tree = Tree("r", {"rows": [row("a", "running"), row("b", "done")]}).ended("failed")
    assert [line.sign for line in tree.lines(5)] == ["failed", "done"]


def test_a_tree_without_a_worker_says_so() -> None:
    """It knows less, and whoever reads it must know that."""
    assert "no worker has answered" in shown([row("a", "running")], silent=True)[-1]
    assert shown([row("a")], silent=True)[-1] == "no worker has taken it up yet"


def said(text: str, step: str = "a", *, ended: bool = False) -> dict[str, Any]:
    """Make a piece of what a step says."""
    told = {"run": "r", "step": step, "attempt": 1, "offset": 0}
    return {**told, "text": text, "ended": ended}


def spoken(rows: list[Row], *pieces: dict[str, Any], height: int = 100) -> list[str]:
    """Lay a tree out of which steps say something."""
    tree = Tree("r", {"rows": rows})
    for piece in pieces:
        tree.answers.take(piece)
    return [" ".join(line.text.replace("lab.echo", "").split()) for line in tree.lines(height, 40)]


def test_what_a_step_says_stands_below_it() -> None:
    """It stays while the run goes on, for whoever has to approve it."""
    rows = [row("a", "done"), row("b", "running")]
    told = said("Roses are red, violets are blue,\nso are you.", ended=True)
    assert spoken(rows, told) == [
        "a",
        "│ Roses are red, violets are",
        "│ blue,",
        "│ so are you.",
        "b",
    ]


def test_where_there_is_little_room_the_last_lines_of_who_speaks_now_are_shown() -> None:
    """Steps that are over are folded for them."""
    rows = [row("a", "done"), row("b", "done"), row("c", "running")]
    over = said("I am\nover.", ended=True)
    now = said("1\n2\n3\n4\n5", "c")
    assert spoken(rows, over, now, height=6) == ["a", "b", "c", "│ 3", "│ 4", "│ 5"]
    assert spoken(rows, over, now, height=5) == ["2 steps done", "c", "│ 3", "│ 4", "│ 5"]


def test_items_of_a_loop_that_speak_at_once_have_a_line_each() -> None:
    """One alone has as many as it needs."""
    busy = {"attempt": 1, "most": 4, "running": True, "seconds": 2.0}
    items = [{**busy, "step": f"pages[{i}]"} for i in (0, 1)]
    rows = [row("pages", "running", loop={"all": 9}, busy=items)]
    one, two = said("x" * 60, "pages[0]"), said("short", "pages[1]")
    assert spoken(rows, one, two)[1:] == [f"pages[0]: …{'x' * 50}", "pages[1]: short"]
    assert spoken(rows, said("a\nb", "pages[1]"))[-2:] == ["│ a", "│ b"]
