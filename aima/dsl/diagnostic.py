"""What is wrong with a file: one diagnostic for each finding, with a stable code and a place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from aima.dsl.node import Mark, Place

_CODE = re.compile(r"[a-z]+/[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 60

_codes: dict[str, str] = {}
CODES: Mapping[str, str] = MappingProxyType(_codes)
"""Every code that can be reported and what it means, in the order of declaration."""


def define(code: str, meaning: str) -> str:
    """Declare a code such as ``yaml/duplicate-key`` and give it back.

    Raises:
        ValueError: the code is declared already or is not written ``area/what-is-wrong``.
    """
    if not is_code(code):
        raise ValueError(f"{code!r} is no code; write it like 'yaml/duplicate-key'")
    if code in _codes:
        raise ValueError(f"the code {code!r} is defined already; each is declared once")
    _codes[code] = meaning
    return code


def is_code(text: str) -> bool:
    """Tell whether a text is written as codes are."""
    return bool(_CODE.fullmatch(text))


class Severity(StrEnum):
    """An error keeps a workflow from running, a warning does not."""

    error = "error"
    warning = "warning"


@dataclass(frozen=True)
class Diagnostic:
    """One finding. Lines and columns count from 1, columns in code points.

    ``end_column`` is the first column after the place on the same line; None: one character,
    or the place goes on over the next lines.
    """

    code: str
    severity: Severity
    message: str
    file: str
    line: int
    column: int
    end_column: int | None = None
    hint: str | None = None

    def __post_init__(self) -> None:
        """Refuse a code that nobody declared: it would have no page."""
        if self.code not in CODES:
            raise ValueError(f"the code {self.code!r} is not defined; declare it with define()")

    def __lt__(self, other: Diagnostic) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, int, int, str, str]:
        return self.file, self.line, self.column, self.code, self.message


class Enough(Exception):
    """So much is wrong that looking for more helps nobody."""


@dataclass(frozen=True)
class Findings:
    """The diagnostics of one file, gathered while it is read.

    Attributes:
        most: how many there may be; None sets no bound. The one over it raises :class:`Enough`.
    """

    file: str
    all: list[Diagnostic] = field(default_factory=list)
    most: int | None = None

    def error(self, code: str, at: Place, message: str, hint: str | None = None) -> None:
        """Note a mistake."""
        self._add(Severity.error, code, at, (message, hint))

    def warning(self, code: str, at: Place, message: str, hint: str | None = None) -> None:
        """Note something that is probably not meant."""
        self._add(Severity.warning, code, at, (message, hint))

    def _add(self, severity: Severity, code: str, at: Place, said: tuple[str, str | None]) -> None:
        mark, end = (at, at) if isinstance(at, Mark) else (at.mark, at.end)
        if self.most is not None and len(self.all) >= self.most:
            raise Enough
        on_one_line = end.line == mark.line and end.column > mark.column
        self.all.append(
            Diagnostic(
                code,
                severity,
                said[0],
                self.file,
                mark.line,
                mark.column,
                end.column if on_one_line else None,
                said[1],
            )
        )


def named(text: str) -> str:
    """Quote a name from a file for a message, shortened where it is long."""
    return repr(text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…")
