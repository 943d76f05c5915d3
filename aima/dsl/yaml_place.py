r"""Where each character of a YAML scalar's value stands in the scalar's own text.

The walks follow the folding and chomping rules of YAML 1.2 (chapters 7.3 and 8.1) as libyaml
reads them. Line breaks are ``\n``: the loader has normalised them.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

# Possessive quantifiers keep the walk linear: no run of blanks is read more than twice.
_FOLD = r"(?P<fold>[ \t]*+\n(?:[ \t]*+\n)*+[ \t]*+)|[ \t]++"
_ESCAPE = (
    r"(?P<join>\\\n(?:[ \t]*+\n)*+[ \t]*+)"
    r"|(?P<one>\\(?:x.{2}|u.{4}|U.{8}|.))"
)
_PLAIN = re.compile(rf"{_FOLD}|[^ \t\n]++")
_SINGLE = re.compile(rf"{_FOLD}|(?P<one>'')|[^' \t\n]++")
_DOUBLE = re.compile(rf"{_ESCAPE}|{_FOLD}|[^\\ \t\n]++")
_LINE_WITH_TEXT = re.compile(r"^( *)[^ \n]", re.MULTILINE)


def place_in(raw: str, value: str, offset: int) -> tuple[int, int]:
    """Say on which line of ``raw`` and at which column, both from 0, ``value[offset]`` stands.

    ``raw`` begins with its quote or its ``|`` or ``>`` line, if it has one. Without any ``raw``
    everything is at its start.
    """
    quote = 1 if raw[:1] in {'"', "'"} else 0
    if raw[quote : len(raw) - quote] == value and "\n" not in raw:  # as it stands, mostly
        return 0, quote + min(max(offset, 0), len(value))
    starts, breaks = _places(raw, value)
    index = starts[min(max(offset, 0), len(starts) - 1)]
    line = bisect_left(breaks, index)
    return line, index - (breaks[line - 1] + 1 if line else 0)


@lru_cache(maxsize=2)  # callers ask for many offsets of one scalar in a row
def _places(raw: str, value: str) -> tuple[array[int], array[int]]:
    """Give the index in ``raw`` of each character of ``value`` and of its end; the breaks."""
    breaks = array("L", (found.start() for found in re.finditer("\n", raw)))
    starts = array("L", _walk(raw, value))
    if not starts:
        starts.append(0)
    return starts[: len(value) + 1], breaks


def _walk(raw: str, value: str) -> Iterator[int]:
    first = raw[:1]
    if first == '"':
        yield from _flow(_DOUBLE, raw, 1, len(raw) - 1)
    elif first == "'":
        yield from _flow(_SINGLE, raw, 1, len(raw) - 1)
    elif first in {"|", ">"}:  # no plain scalar starts with these
        yield from _block(raw, value, folded=first == ">")
    else:
        yield from _flow(_PLAIN, raw, 0, len(raw))


def _flow(pattern: re.Pattern[str], raw: str, start: int, end: int) -> Iterator[int]:
    for found in pattern.finditer(raw, start, end):
        begin, stop = found.span()
        if found.lastgroup is None:
            yield from range(begin, stop)
        elif found.lastgroup == "one":
            yield begin
        else:
            breaks = [begin + i for i, char in enumerate(found[0]) if char == "\n"]
            # The first break folds: to a blank if it is alone, to nothing before empty lines.
            # An escaped break (`join`) never leaves a blank.
            alone = len(breaks) == 1 and found.lastgroup == "fold"
            yield from breaks if alone else breaks[1:]
    yield end


def _block(raw: str, value: str, *, folded: bool) -> Iterator[int]:
    at = raw.find("\n") + 1 or len(raw)
    indent = _indent(raw, at, value)
    breaks: list[int] = []  # since the last line with text
    previous_folds = False
    for line in raw[at:].split("\n"):
        if len(line) > indent:
            folds = folded and line[indent] not in " \t"
            one_blank = folds and previous_folds
            yield from (breaks[1:] or breaks) if one_blank else breaks
            yield from range(at + indent, at + len(line))
            previous_folds, breaks = folds, []
        breaks.append(at + len(line))
        at += len(line) + 1
    yield from breaks


def _indent(raw: str, body: int, value: str) -> int:
    """Find how many blanks the block takes off each line: what raw and value differ by."""
    written = _LINE_WITH_TEXT.search(raw, body)
    kept = _LINE_WITH_TEXT.search(value)
    if written is None or kept is None:  # only blanks: the longest line keeps what is left of it
        return _longest(raw[body:]) - _longest(value)
    return len(written[1]) - len(kept[1])


def _longest(text: str) -> int:
    return max(len(line) for line in text.split("\n"))
