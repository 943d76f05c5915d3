"""Steps and failures as people see them."""

from __future__ import annotations

from typing import Any

import click
import pytest

from aima.gateway.cli.exits import exit_code
from aima.gateway.cli.steps import row, show_error


def step(**said: object) -> dict[str, Any]:
    """Make a step's state."""
    return {"step": "a", "unit": "inference.chat", "state": "running", "attempt": 1, **said}


def test_columns_line_up_whatever_is_known() -> None:
    """Rows under each other can be read down."""
    steps = [
        step(message="12 tokens"),
        step(step="transcribe", state="done", seconds=1.234, message="12 words"),
    ]
    shown = [click.unstyle(row(one, 10)) for one in steps]
    assert [line.index("12 ") for line in shown] == [57, 57]
    assert "1.23 s" in shown[1]


def test_the_next_attempt_is_announced_with_the_reason() -> None:
    """Why it takes long is more useful than that it does."""
    shown = row(step(state="retrying", attempt=2, message="no answer\nTraceback"), 1)
    assert shown.endswith("attempt 2 comes; no answer")


def test_what_a_unit_says_cannot_drive_the_terminal_or_fill_it() -> None:
    """Progress and errors come from outside."""
    shown = row(step(message="\x1b[2J" + "x" * 1000), 1)
    assert "\\x1b[2J" in shown
    assert len(shown) < 250


def test_a_failure_names_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """The code is what one searches for."""
    show_error({"state": "failed", "error": {"code": "TIMEOUT", "message": "late\x07"}})
    assert capsys.readouterr().err == "failed: late\\x07 [TIMEOUT]\n"


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (413, 2), (415, 2), (404, 3), (409, 4), (504, 5), (401, 6), (403, 6), (503, 1)],
)
def test_an_error_has_the_exit_code_of_its_kind(status: int, code: int) -> None:
    """The table of the help, as scripts rely on it."""
    assert exit_code("SOME_CODE", status) == code


def test_a_cancel_is_an_interrupt() -> None:
    """Its status is nobody's; the code says it."""
    assert exit_code("CANCELLED", 499) == 130
