"""What steps say while they say it: the pieces of their streams, put together."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aima.gateway.cli.wrapping import Paragraphs

_SEGMENT = re.compile(r"\[\d+\.\.\d+\]$")
"""How the id of a run ends that does a part of a loop for another one."""

_PLAIN_WIDTH = 96
"""Cells of a line of an answer where nobody tells how many there are."""

Key: TypeAlias = tuple[str, str]


@dataclass
class Answer:
    """What one step has said so far.

    Attributes:
        run: the run of the step: the watched one, or a child of it.
        step: its path there.
        attempt: a number that is higher for a later attempt.
        text: all of this attempt.
        ended: whether it has said all that it will.
    """

    run: str
    step: str
    attempt: int
    text: str = ""
    ended: bool = False
    _lines: Paragraphs = field(default_factory=lambda: Paragraphs(0))
    _laid: int = 0

    def lines(self, width: int, most: int) -> list[str]:
        """Give the last lines of it, each of so many cells at most."""
        if self._lines.width != width:
            self._lines, self._laid = Paragraphs(width), 0
        self._lines.add(self.text[self._laid :])
        self._laid = len(self.text)
        return self._lines.last(most)


@dataclass(frozen=True)
class News:
    """What a piece brings.

    Attributes:
        text: what was not known yet.
        again: whether the step has begun again, and what was known is void.
    """

    answer: Answer
    text: str
    again: bool


@dataclass
class Answers:
    """What the steps of a run, and of those inside of it, have said so far."""

    by_step: dict[Key, Answer] = field(default_factory=dict)
    _heard: dict[Key, int] = field(default_factory=dict)

    def take(self, piece: Mapping[str, Any]) -> News | None:
        """Take a piece in; None where it brings nothing new, or is no text."""
        if "text" not in piece:
            return None
        key = (piece["run"], piece["step"])
        before = answer = self.by_step.get(key)
        if answer is None or answer.attempt != piece["attempt"]:
            answer = self.by_step[key] = Answer(*key, piece["attempt"])
            self._heard[key] = 0
        again = before is not None and before is not answer and bool(before.text)
        data = piece["text"].encode()
        new = data[max(self._heard[key] - piece["offset"], 0) :].decode()
        changed = again or new or (piece["ended"] and not answer.ended)
        answer.text += new
        answer.ended = piece["ended"]
        self._heard[key] = max(self._heard[key], piece["offset"] + len(data))
        return News(answer, new, again) if changed else None


@dataclass
class Heard:
    """How much of what steps show was told, be it words, sound or anything else."""

    _until: dict[Key, tuple[int, int, bool]] = field(default_factory=dict)

    def is_news(self, piece: Mapping[str, Any]) -> bool:
        """Tell whether there is anything in a piece that was not told before."""
        size = len(piece["text"].encode()) if "text" in piece else len(b64decode(piece["base64"]))
        key = (piece["run"], piece["step"])
        attempt, end, ended = self._until.get(key, (-1, 0, False))
        if piece["attempt"] != attempt:
            end, ended = 0, False
        now = (piece["attempt"], max(end, piece["offset"] + size), ended or piece["ended"])
        news = now != (attempt, end, ended)
        self._until[key] = now
        return news


@dataclass
class Speech:
    """What steps say where nothing can be drawn over: line by line, each with its step's name.

    Attributes:
        run_id: the run that is watched.
    """

    run_id: str
    _open: dict[Key, tuple[str, Paragraphs]] = field(default_factory=dict)

    def lines(self, news: News) -> list[str]:
        """Give the lines that are whole now."""
        answer, told = news.answer, []
        key = (answer.run, answer.step)
        name, text = self._open.setdefault(
            key, (name_of(*key, self.run_id), Paragraphs(_PLAIN_WIDTH))
        )
        if news.again:
            told = [*_flushed(name, text), f"{name} ↻ begins again"]
        text.add(news.text)
        if answer.ended:
            told += _flushed(name, self._open.pop(key)[1])
        else:
            told += _taken(name, text)
        return told

    def rest(self) -> list[str]:
        """Give what is left of those that did not end."""
        return [line for name, text in self._open.values() for line in _flushed(name, text)]


def _flushed(name: str, text: Paragraphs) -> list[str]:
    if text.rest:
        text.end()
    return _taken(name, text)


def _taken(name: str, text: Paragraphs) -> list[str]:
    found = [f"{name} │ {line}".rstrip() for line in text.lines]
    text.lines.clear()
    return found


def home(run: str) -> str:
    """Give the run whose step says it: parts of a loop have runs of their own."""
    outer, _, last = run.rpartition("/")
    return home(outer) if outer and _SEGMENT.search(last) else run


def name_of(run: str, step: str, seen_from: str) -> str:
    """Name a step as seen from a run: with the way to it through the runs inside."""
    inner = home(run).removeprefix(seen_from).strip("/")
    return f"{inner}/{step}" if inner else step
