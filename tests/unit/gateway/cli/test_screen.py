"""Drawing over what was drawn before."""

from __future__ import annotations

import re

import pytest

from aima.gateway.cli.screen import Screen
from aima.gateway.cli.tree import Text


def drawn(capsys: pytest.CaptureFixture[str]) -> str:
    """Give what was drawn, without colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().err)


def test_the_second_picture_stands_where_the_first_stood(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is the same is left alone, and the rest of the screen below it is empty."""
    screen = Screen()
    screen.draw([Text("done", "a"), Text("running", "b"), Text("", "c")])
    assert "\x1b[3A" not in drawn(capsys)
    screen.draw([Text("done", "a"), Text("done", "b")])
    assert "h\x1b[2A\r  ✓ b\x1b[K\n\x1b[J" in drawn(capsys)
    screen.draw([Text("done", "a"), Text("done", "b")])
    assert drawn(capsys) == "", "nothing has changed"


def test_a_line_is_cut_to_the_width_and_a_command_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrapped line breaks the count; a command that is cut cannot be copied."""
    screen = Screen()
    screen.draw([Text("", "x" * 200), Text("", "y" * 200, whole=True), Text("", "漢" * 100)])
    text = drawn(capsys)
    assert "x" * 74 + "…" in text
    assert "y" * 200 in text
    assert "漢" * 37 + "…" in text
    assert [width for _, width in screen.drawn] == [79, 204, 79]
    screen.draw([])
    assert "\x1b[5A" in drawn(capsys), "the command takes three rows of eighty columns"


def test_nothing_in_a_unit_s_words_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """A model may write anything, also what moves a cursor."""
    Screen().draw([Text("", "\x1b[2Jgone")])
    assert "\x1b[2J" not in drawn(capsys)
