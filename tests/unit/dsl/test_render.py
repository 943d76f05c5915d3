from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.diagnostic import Diagnostic, Severity, define
from aima.dsl.load import Source, load
from aima.dsl.render import escaped, render_text

ODD = define("test/rendered", "For these tests.")


def found(line: int, column: int, end: int | None = None, **said: str) -> Diagnostic:
    """Make an error at a place."""
    message, hint = said.get("message", "wrong"), said.get("hint")
    return Diagnostic(
        ODD, Severity.error, message, said.get("file", "w.yaml"), line, column, end, hint
    )


def shown(text: str, *diagnostics: Diagnostic) -> list[str]:
    """Render without colours, as lines."""
    return render_text(diagnostics, [Source("w.yaml", text)], colour=False).split("\n")


def under_carets(lines: list[str]) -> str:
    """Give what stands above the carets, cell by cell as a terminal does."""
    row = "".join(c if width(c) == 1 else c + "\x00" if width(c) else "" for c in lines[1])
    return row[lines[2].index("^") : lines[2].rindex("^") + 1].replace("\x00", "")


def width(char: str) -> int:
    """Give the cells of a character."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def test_a_diagnostic_is_shown_with_its_line_a_caret_and_the_hint() -> None:
    """The form people know from compilers."""
    source, _, diagnostics = load("name: x\nsteps: []\nname: y\n", "w.yaml")
    assert render_text(diagnostics, [source], colour=False) == (
        "w.yaml:3:1: error[yaml/duplicate-key]: the key 'name' is given on line 1 already\n"
        " 3 | name: y\n"
        "   | ^^^^\n"
        "   = hint: remove one of the two\n"
    )


def test_several_are_apart_and_none_is_nothing() -> None:
    """A clean file prints nothing."""
    assert shown("a\nb\n", found(1, 1), found(2, 1))[3] == ""
    assert render_text([], [], colour=True) == ""


def test_the_line_number_sets_the_margin() -> None:
    """Carets on line 100 must not slip to the left."""
    lines = shown("\n" * 99 + "abc", found(100, 2))
    assert lines[1:3] == [" 100 | abc", "     |  ^"]


def test_wide_combining_and_tab_characters_keep_the_caret_in_place() -> None:
    """Prompts are written in every script."""
    assert under_carets(shown("漢字: HERE", found(1, 5, 9))) == "HERE"
    assert under_carets(shown("e\u0301a\u0308: HERE", found(1, 7, 11))) == "HERE"
    assert under_carets(shown("\ta:\tHERE", found(1, 5, 9))) == "HERE"
    assert under_carets(shown("a: 漢字", found(1, 4, 6))) == "漢字"
    assert under_carets(shown("x: \x1bHERE", found(1, 5, 9))) == "HERE"


@given(
    before=st.text(st.sampled_from("a é漢😀\t\x1b\u202e\u0301"), max_size=200),
    after=st.text(st.sampled_from("a é漢\t\x1b"), max_size=200),
)
@settings(deadline=None)
def test_the_carets_stand_under_the_place_whatever_surrounds_it(before: str, after: str) -> None:
    """Also where the line is too long to be shown whole."""
    column = len(before) + 1
    assert under_carets(shown(f"{before}HERE{after}", found(1, column, column + 4))) == "HERE"


def test_a_line_of_a_megabyte_is_shown_around_the_place() -> None:
    """The terminal shows the mistake, not the file."""
    lines = shown("x" * 500_000 + "HERE" + "x" * 500_000, found(1, 500_001, 500_005))
    assert len(lines[1]) < 140
    assert lines[1].count("…") == 2
    assert under_carets(lines) == "HERE"


def test_a_place_past_the_line_or_the_file_still_shows() -> None:
    """The end of the file is a place where things are missing."""
    assert shown("abc", found(1, 4))[2] == "   |    ^"
    assert shown("abc", found(7, 1, hint="add it"))[1] == "   = hint: add it"
    assert shown("abc", found(1, 1, file="other.yaml")) == [
        "other.yaml:1:1: error[test/rendered]: wrong",
        "",
    ]


def test_an_end_that_is_far_right_draws_carets_only_to_where_the_line_is_cut() -> None:
    """A 10 000-letter value has no 10 000 carets."""
    assert shown("x" * 10_000, found(1, 1, 10_001))[2].count("^") == 120


@given(text=st.text())
@settings(deadline=None)
def test_nothing_from_a_file_acts_on_the_terminal(text: str) -> None:
    """ESC moves the cursor, sets the title, or hides what follows; bidi signs reorder it."""
    diagnostic = found(1, 1, message=text, hint=text, file=text)
    lines = render_text([diagnostic], [Source(text, text)], colour=False).split("\n")
    for line in lines:
        assert not any(
            unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in line
        )
    assert len(lines) <= 5


def test_escapes_are_spelled_as_in_python() -> None:
    """The reader sees which character it was."""
    assert escaped("a\x1b[2J\u202eb\n\ud800") == "a\\x1b[2J\\u202eb\\n\\ud800"


def test_colours_are_the_only_control_sequences() -> None:
    """They are asked for, and they end where they began."""
    text = render_text([found(1, 1, hint="x")], [Source("w.yaml", "\x1b[31m")], colour=True)
    assert "\x1b[1;31merror[test/rendered]:\x1b[0m" in text
    assert text.count("\x1b[0m") * 2 == text.count("\x1b")
    warning = Diagnostic(ODD, Severity.warning, "x", "w.yaml", 1, 1)
    assert "\x1b[1;33mwarning" in render_text([warning], [], colour=True)
