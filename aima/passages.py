"""Cutting a text into passages at its own borders: paragraphs, sentences, then words.

Sentences end as they do in many scripts, with or without a space behind; text without spaces is
cut between any two of its characters.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["characters", "tokens"]
Span: TypeAlias = tuple[int, int]

_NO_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_NO_SPACES}]|[^\W_{_NO_SPACES}]{{1,6}}|[^\w\s]|_")
_ENDS = (
    re.compile(r"\n[ \t\r]*\n\s*"),  # of paragraphs
    re.compile(
        r"[.!?\u2026]+[\"'\u201d\u2019)\]]*\s+"
        r"|[\u3002\uff01\uff1f\uff1b\uff61]+[\u300d\u300f\u201d\u2019\uff09]*\s*|\n"
    ),  # of sentences
    re.compile(rf"[{_NO_SPACES}]|\s+"),  # of words
)


@dataclass(frozen=True)
class Cut:
    """How a text is cut up.

    Attributes:
        size: the most a passage holds.
        overlap: so much of its end a passage shares with the next one, at most; no more than
            half of the size.
        unit: what both count. A token is a character of a script without spaces, up to six
            letters of a word, or a mark; embedding models count much like that.
    """

    size: int
    overlap: int = 0
    unit: Unit = "tokens"

    def passages(self, text: str) -> Iterator[Span]:
        """Give where passages start and end; spaces around them are left out."""
        counted = self._counted(text)
        ends = [[match.end() for match in pattern.finditer(text)] for pattern in _ENDS]
        start, end, told = 0, 0, 0
        while end < len(text):
            first = bisect_left(counted, start)
            limit = _at(counted, first + self.size, len(text))
            half = _at(counted, first + max(1, self.size // 2), len(text))
            end = limit if limit == len(text) else _last(ends, max(half, end + 1), limit)
            span = _stripped(text, start, end)
            if span[1] > max(span[0], told):  # else it is blank, or part of the one before
                told = span[1]
                yield span
            shared = bisect_left(counted, end) - self.overlap
            earliest = _at(counted, max(shared, first + 1), len(text))
            start = _first(ends[1:], earliest, end) if self.overlap else end

    def _counted(self, text: str) -> Sequence[int]:
        """Give where each character or token begins."""
        if self.unit == "characters":
            return range(len(text))
        return [match.start() for match in _TOKEN.finditer(text)]


def _at(counted: Sequence[int], index: int, otherwise: int) -> int:
    return counted[index] if index < len(counted) else otherwise


def _last(ends: list[list[int]], after: int, until: int) -> int:
    """Find the last end of the largest kind in a stretch."""
    for kind in ends:
        index = bisect_right(kind, until) - 1
        if index >= 0 and kind[index] >= after:
            return kind[index]
    return until


def _first(ends: list[list[int]], after: int, before: int) -> int:
    """Find the first place in a stretch where something of the largest kind begins."""
    for kind in ends:
        index = bisect_left(kind, after)
        if index < len(kind) and kind[index] < before:
            return kind[index]
    return min(after, before)


def _stripped(text: str, start: int, end: int) -> Span:
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip())
