"""What stands at a place of a text that is being typed, and what could stand there.

The text is mostly broken in this moment, so it is read by its lines: the word before the cursor
and the keys above it, as far as they are indented less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_TYPE = re.compile(r"\btype:\s*[\"']?([\w.]*)$")
_PATH = re.compile(r"\$\{[^}]*?([A-Za-z_][\w-]*(?:\.\??[\w-]*)*)$")
_KEY = re.compile(r"^(\s*(?:- )*)([\w-]*)$")
_ABOVE = re.compile(r"^(\s*(?:- )*)([\w-]+):")
_UNIT = re.compile(r"\btype:\s*[\"']?([a-z][\w]*\.[\w]+)")


class Sort(Enum):
    """What is being typed."""

    unit = auto()
    path = auto()
    step_key = auto()
    top_key = auto()
    input_key = auto()
    nothing = auto()


@dataclass(frozen=True)
class Typed:
    """What stands before the cursor.

    Attributes:
        names: the links of a path, the last one unfinished.
        unit: the unit whose input is written.
    """

    sort: Sort
    names: tuple[str, ...] = ()
    unit: str = ""


def typed(text: str, line: int, column: int) -> Typed:
    """Tell what is typed at a place; lines and columns count from 0."""
    lines = text.split("\n")
    before = lines[line][:column] if line < len(lines) else ""
    if found := _PATH.search(before):
        return Typed(Sort.path, tuple(found[1].replace("?", "").split(".")))
    if _TYPE.search(before):
        return Typed(Sort.unit)
    found = _KEY.match(before)
    if found is None:
        return Typed(Sort.nothing)
    above = list(_keys_above(lines[:line], len(found[1])))
    if not above:
        return Typed(Sort.top_key)
    if above[0] == "input":
        return Typed(Sort.input_key, unit=_unit_near(lines, line))
    lists = ("steps", "finally", "on_failure", "else", "catch", "race")
    return Typed(Sort.step_key if above[0] in lists else Sort.nothing)


def _keys_above(lines: list[str], indent: int) -> Iterator[str]:
    """Walk the keys that hold a line, the innermost first."""
    for line in reversed(lines):
        found = _ABOVE.match(line)
        if found is not None and len(found[1]) < indent:
            indent = len(found[1])
            yield found[2]


def _unit_near(lines: list[str], line: int) -> str:
    """Find the unit of the step in which a line stands: its `type`, above or below."""
    for number in range(line, -1, -1):
        if found := _UNIT.search(lines[number]):
            return found[1]
        if lines[number].lstrip().startswith("- id:"):
            break
    for below in lines[line + 1 :]:
        if below.lstrip().startswith("- id:"):
            break
        if found := _UNIT.search(below):
            return found[1]
    return ""


def path_at(text: str, line: int, column: int) -> tuple[str, ...]:
    """Give the names of the path under the cursor, up to the one it is on."""
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    for found in re.finditer(r"[A-Za-z_][\w-]*(?:\.\??[\w-]+)*", here):
        if found.start() <= column <= found.end():
            end = found.end()
            if (dot := here.find(".", column)) != -1 and dot < found.end():
                end = dot
            return tuple(here[found.start() : end].replace("?", "").split("."))
    return ()
