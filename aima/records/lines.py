"""The lines of a text file, each with its number; what is no text is told with it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias

from aima.errors import TooLarge, UnsupportedMedia, ValidationFailed

Encoding: TypeAlias = Literal[
    "utf-8", "latin-1", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"
]
"""In all of these a byte 10 is an end of line and nothing else."""

MOST_LINE_BYTES = 16 << 20
_OTHER_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


@dataclass
class Budget:
    """How many bytes may still be read."""

    bytes: int
    setting: str

    def spend(self, count: int, name: str) -> None:
        """Count bytes that were read.

        Raises:
            TooLarge: those were too many.
        """
        self.bytes -= count
        if self.bytes < 0:
            raise TooLarge(
                f"{name!r} holds more than may be read at once; give `limit`, or raise the setting "
                f"{self.setting!r}"
            )


@dataclass(frozen=True)
class Source:
    """A file being read.

    Attributes:
        name: how errors call it.
    """

    name: str
    stream: BinaryIO
    encoding: Encoding
    budget: Budget

    def lines(self) -> Iterator[str]:
        """Give its lines with their ends.

        Raises:
            UnsupportedMedia: it is no text, or in another encoding.
            TooLarge: a line is endless, or the file holds more than may be read.
        """
        number = 0
        while line := self.stream.readline(MOST_LINE_BYTES + 1):
            number += 1
            if len(line) > MOST_LINE_BYTES:
                raise TooLarge(
                    f"{self.at(number)}: a line of more than {MOST_LINE_BYTES >> 20} MiB"
                )
            self.budget.spend(len(line), self.name)
            yield self._text(line, number)

    def at(self, line: int) -> str:
        """Name a place in it."""
        return f"{self.name}:{line}"

    def broken(self, line: int, what: str) -> ValidationFailed:
        """Make the error of a line that cannot be understood."""
        return ValidationFailed(f"{self.at(line)}: {what}")

    def _text(self, line: bytes, number: int) -> str:
        if number == 1:
            for mark, encoding in _OTHER_MARKS.items():
                if line.startswith(mark):
                    raise UnsupportedMedia(f"{self.name!r} is {encoding}; save it as UTF-8")
            line = line.removeprefix(codecs.BOM_UTF8)
        if b"\0" in line:
            raise UnsupportedMedia(f"{self.at(number)}: a NUL; this is no text file")
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise UnsupportedMedia(
                f"{self.at(number)}: byte {error.start + 1} is no {self.encoding.upper()}; say "
                "which `encoding` it is, or save it as UTF-8"
            ) from error
