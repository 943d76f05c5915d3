"""Speech as subtitles: SubRip and WebVTT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

_MS = 1000


class Line(Protocol):
    """A stretch of speech, in seconds from the start."""

    @property
    def start(self) -> float:
        """When it begins."""
        ...

    @property
    def end(self) -> float:
        """When it ends."""
        ...

    @property
    def text(self) -> str:
        """What is said."""
        ...


def srt(lines: Sequence[Line]) -> str:
    """Write subtitles as SubRip has them, numbered from 1."""
    cues = (f"{number}\n{_cue(line, ',')}\n" for number, line in enumerate(lines, 1))
    return "\n".join(cues)


def vtt(lines: Sequence[Line]) -> str:
    """Write subtitles as WebVTT has them."""
    return "\n".join(["WEBVTT\n", *(f"{_cue(line, '.')}\n" for line in lines)])


def _cue(line: Line, point: str) -> str:
    """Write when, and what; an empty line or an arrow would end or break a cue."""
    said = " ".join(line.text.split()).replace("-->", "→")
    return f"{_time(line.start, point)} --> {_time(line.end, point)}\n{said}"


def _time(seconds: float, point: str) -> str:
    ms = round(max(seconds, 0.0) * _MS)
    minutes, ms = divmod(ms, 60 * _MS)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // _MS:02}{point}{ms % _MS:03}"
