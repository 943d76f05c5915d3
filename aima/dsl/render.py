"""Diagnostics as people read them on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aima.dsl.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from aima.dsl.load import Source  # reading YAML is not needed to print a line

_COLOURS = {Severity.error: "\x1b[1;31m", Severity.warning: "\x1b[1;33m"}
_BOLD = "\x1b[1m"
_BLUE = "\x1b[1;34m"
_RESET = "\x1b[0m"

_TAB = "    "
_MOST_SHOWN = 120  # characters of a line: a file may be one line of a megabyte
_LEAD = 60  # of them, before the place
# Controls, format characters (they reorder text or are invisible), line separators, surrogates,
# unassigned: on a terminal they would act, or hide, instead of being seen.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
_NO_WIDTH = frozenset({"Mn", "Me"})
_WIDE = frozenset({"W", "F"})


def render_text(
    diagnostics: Iterable[Diagnostic], sources: Iterable[Source], *, colour: bool
) -> str:
    """Show each diagnostic with its line of the file, carets under the place, and the hint.

    Signs from the file that a terminal would obey are shown escaped. A diagnostic of a file that
    is not among ``sources`` is shown without its line. Nothing to show gives an empty text.
    """
    files = {source.file: source for source in sources}
    return "\n".join(_text(found, files.get(found.file), colour=colour) for found in diagnostics)


def escaped(text: str) -> str:
    r"""Replace signs that a terminal would obey, such as ESC, by their ``\x1b`` spelling."""
    return "".join(_sign(char) for char in text)


def _text(found: Diagnostic, source: Source | None, *, colour: bool) -> str:
    def tint(code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if colour else text

    place = f"{escaped(found.file)}:{found.line}:{found.column}:"
    kind = tint(_COLOURS[found.severity], f"{found.severity}[{found.code}]:")
    gutter = " " * len(str(found.line))
    lines = [f"{tint(_BOLD, place)} {kind} {tint(_BOLD, escaped(found.message))}"]
    line = source.line(found.line) if source else ""
    if line:
        excerpt, before, under = _excerpt(line, found)
        carets = " " * before + tint(_COLOURS[found.severity], "^" * under)
        lines += [f"{tint(_BLUE, f' {found.line} |')} {excerpt}"]
        lines += [f"{tint(_BLUE, f' {gutter} |')} {carets}"]
    if found.hint:
        lines += [f"{tint(_BLUE, f' {gutter} =')} hint: {escaped(found.hint)}"]
    return "\n".join(lines) + "\n"


def _excerpt(line: str, found: Diagnostic) -> tuple[str, int, int]:
    """Give what is shown of a line, the cells before the place, and the cells under it."""
    start = found.column - 1
    end = start + 1 if found.end_column is None else found.end_column - 1
    first = max(0, start - _LEAD) if len(line) > _MOST_SHOWN else 0
    last = min(len(line), first + _MOST_SHOWN)
    head = "…" if first else ""
    tail = "…" if last < len(line) else ""
    before = len(head) + _cells(line[first:start])
    under = _cells(line[start : min(end, last)])
    return f"{head}{escaped(line[first:last]).rstrip()}{tail}", before, max(under, 1)


def _cells(text: str) -> int:
    """Count the columns of a terminal that a text takes once it is escaped."""
    return sum(_width(char) for char in escaped(text))


def _width(char: str) -> int:
    if unicodedata.category(char) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1


def _sign(char: str) -> str:
    if char == "\t":
        return _TAB
    if unicodedata.category(char) not in _UNSEEN:
        return char
    # `unicode_escape` spells every character that is not printable ASCII; these are never.
    return char.encode("unicode_escape").decode()
