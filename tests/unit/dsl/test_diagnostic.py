from __future__ import annotations

import pytest

from aima.dsl.diagnostic import CODES, Diagnostic, Findings, Severity, define, named
from aima.dsl.node import Mark, Scalar, Span
from aima.dsl.yaml_mapping import DUPLICATE_KEY


def diagnostic(line: int, column: int = 1, *, file: str = "w.yaml") -> Diagnostic:
    """Make an error that differs by its place only."""
    return Diagnostic(DUPLICATE_KEY, Severity.error, "twice", file, line, column)


def test_a_code_is_declared_once() -> None:
    """Two meanings under one code would share one page and one suppression."""
    code = define("test/declared-once", "For this test.")
    assert CODES[code] == "For this test."
    with pytest.raises(ValueError, match="'test/declared-once' is defined already"):
        define("test/declared-once", "Something else.")
    assert CODES[code] == "For this test."


@pytest.mark.parametrize(
    "code", ["", "yaml", "Yaml/x", "yaml/Two-Words", "yaml/a_b", "a/b/c", "/x"]
)
def test_a_code_is_written_as_area_and_what_is_wrong(code: str) -> None:
    """Codes go into URLs, SARIF and suppressions."""
    with pytest.raises(ValueError, match="is no code"):
        define(code, "x")


def test_a_diagnostic_needs_a_declared_code() -> None:
    """A code nobody declared has no meaning to look up."""
    with pytest.raises(ValueError, match="'yaml/unheard-of' is not defined"):
        Diagnostic("yaml/unheard-of", Severity.error, "x", "w.yaml", 1, 1)


def test_diagnostics_sort_by_place() -> None:
    """People mend a file from top to bottom; 10 comes after 9."""
    later = [diagnostic(10), diagnostic(9, 20), diagnostic(9, 3), diagnostic(99, file="a.yaml")]
    assert [(d.file, d.line, d.column) for d in sorted(later)] == [
        ("a.yaml", 99, 1),
        ("w.yaml", 9, 3),
        ("w.yaml", 9, 20),
        ("w.yaml", 10, 1),
    ]


def test_equal_diagnostics_are_one() -> None:
    """The checker finds some things on two ways."""
    assert len({diagnostic(1), diagnostic(1)}) == 1


@pytest.mark.parametrize(
    ("end", "column"),
    [(Mark(2, 9), 9), (Mark(2, 3), None), (Mark(3, 9), None)],
)
def test_a_finding_ends_where_its_value_does_unless_on_another_line(
    end: Mark, column: int | None
) -> None:
    """A block's end lies lines below; carets are drawn on one line."""
    findings = Findings("w.yaml")
    findings.error(DUPLICATE_KEY, Span(Mark(2, 3), end), "x")
    findings.error(DUPLICATE_KEY, Scalar("x", Mark(2, 3), end), "x")
    assert [(d.line, d.column, d.end_column) for d in findings.all] == [(2, 3, column)] * 2


def test_findings_keep_severity_and_hint() -> None:
    """Warnings exit 0, errors do not."""
    findings = Findings("w.yaml")
    findings.error(DUPLICATE_KEY, Mark(1, 2), "bad", "mend it")
    findings.warning(DUPLICATE_KEY, Mark(1, 2), "odd")
    assert findings.all == [
        Diagnostic(DUPLICATE_KEY, Severity.error, "bad", "w.yaml", 1, 2, None, "mend it"),
        Diagnostic(DUPLICATE_KEY, Severity.warning, "odd", "w.yaml", 1, 2, None, None),
    ]


def test_a_long_name_is_shortened_in_a_message() -> None:
    """The name may be a megabyte of somebody's prompt."""
    assert named("short") == "'short'"
    assert named("x" * 60) == repr("x" * 60)
    assert named("x" * 61) == repr("x" * 60 + "…")
