"""What steps say, put together from the pieces of their streams."""

from __future__ import annotations

from typing import Any

import pytest

from aima.gateway.cli.answers import Answers, home, name_of
from aima.gateway.cli.watch_command import Voices
from aima.gateway.cli.wrapping import Paragraphs, cells, cut

Line = dict[str, Any]


def piece(
    text: str, *, at: int = 0, attempt: int = 1, step: str = "chat", ended: bool = False
) -> Line:
    """Make a piece of the run `r`."""
    told = {"type": "piece", "run": "r", "step": step, "attempt": attempt, "offset": at}
    return {**told, "text": text, "ended": ended}


def test_a_piece_that_was_heard_already_brings_nothing() -> None:
    """A stream that broke off is read again from its beginning; offsets are bytes."""
    answers = Answers()
    answers.take(piece("Grüße"))
    assert answers.take(piece("Grüße")) is None
    news = answers.take(piece("Grüße an alle"))
    assert news is not None
    assert (news.text, news.again) == (" an alle", False)
    assert answers.by_step["r", "chat"].text == "Grüße an alle"


def test_another_attempt_is_another_answer() -> None:
    """It is told as soon as it begins, before it has said anything."""
    answers = Answers()
    answers.take(piece("wrong"))
    news = answers.take(piece("", attempt=2))
    assert news is not None
    assert news.again
    assert answers.by_step["r", "chat"].text == ""


def test_sound_is_no_text() -> None:
    """Nobody reads it on a terminal."""
    sound = {key: value for key, value in piece("").items() if key != "text"}
    assert Answers().take({**sound, "base64": "AAAA"}) is None


def test_steps_of_runs_inside_are_named_with_the_way_to_them() -> None:
    """But a part of a loop is a run only because of Temporal's limits."""
    assert name_of("r", "chat", "r") == "chat"
    assert name_of("r/ask", "chat", "r") == "ask/chat"
    assert home("r/pages[0..499]") == "r"
    assert home("r/ask/pages[0..499]") == "r/ask"
    assert name_of("r/pages[0..499]", "pages[3].chat", "r") == "pages[3].chat"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("one\ntwo\n\nthree", ["one", "two", "", "three"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("漢字漢字漢字", ["漢字漢字", "漢字"]),
        ("a\x1b[2J", ["a\\x1b[2J"]),
    ],
)
def test_a_text_is_broken_between_words_as_it_grows(text: str, lines: list[str]) -> None:
    """However it is cut into pieces, a line that is whole never changes."""
    whole, grown = Paragraphs(8), Paragraphs(8)
    whole.add(text)
    for character in text:
        grown.add(character)
    assert whole.last(9) == grown.last(9) == lines
    assert whole.last(1) == lines[-1:]
    assert whole.last(0) == []


def test_a_line_that_is_too_long_is_cut_with_a_mark() -> None:
    """A wide character takes two cells; half of one cannot be shown."""
    assert cut("short", 5) == "short"
    assert cut("longer", 5) == "long…"
    assert cells(cut("漢字漢字", 6)) == 5


def test_those_who_watch_hear_one_step_after_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two answers at once are no text; the second one waits for the end of the first."""
    voices = Voices("r")
    voices.take(piece("One ", step="a"))
    voices.take(piece("Three.", step="b", ended=True))
    assert capsys.readouterr().out == "One "
    voices.take(piece("two.", at=4, step="a", ended=True))
    told = capsys.readouterr()
    assert (told.out, told.err) == ("two.\nThree.\n", "b\n")


def test_those_who_watch_hear_that_a_step_begins_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What it said before is not true any more; one that failed lets the next one speak."""
    voices = Voices("r", "a")
    voices.take(piece("Won", step="a"))
    voices.take(piece("never heard", step="b"))
    voices.take(piece("", step="a", attempt=2))
    voices.take(piece("Two", step="a", attempt=2))
    voices.take({"type": "step", "step": "a", "state": "failed"})
    voices.end()
    told = capsys.readouterr()
    assert (told.out, told.err) == ("Won\nTwo\n", "↻ a begins again\n")


def test_a_run_of_which_nothing_is_kept_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """And where its output is."""
    Voices("r").end()
    assert "`aima status r` shows its output" in capsys.readouterr().err


def test_who_watches_one_step_need_not_wait_for_the_run() -> None:
    """It has said all, or it failed, or it is done and said nothing."""
    one, all_of_it = Voices("r", "a"), Voices("r")
    for line, ended in (
        (piece("Well.", step="a", ended=True), True),
        (piece("Well.", step="b", ended=True), False),
        (piece("Well", step="a"), False),
        ({"type": "step", "step": "a", "state": "done"}, True),
        ({"type": "step", "step": "a", "state": "retrying"}, False),
    ):
        assert one.ends(line) == ended
        assert not all_of_it.ends(line)
    assert one.fails({"type": "step", "step": "a", "state": "failed"})
    assert not one.fails({"type": "run", "state": "failed"})
