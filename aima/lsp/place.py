"""What stands at a place of a text that is being typed.

The text is mostly broken in this moment, so it is read by its lines: the word before the cursor,
the flow maps that are open on its line, and the keys above it, as far as they are indented less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ABOVE = re.compile(r"^(\s*(?:- +)*)[\"']?([\w-]+)[\"']?:(?=\s|$)")
_START = re.compile(r"^\s*(?:- +)*")
_PATH = re.compile(r"(?:[A-Za-z_][\w-]*(?:\.\??[\w-]*)*)?$")
_WORDS = re.compile(r"[A-Za-z_][\w-]*(?:\.\??[\w-]+)*")
_UNIT = re.compile(r"\btype:\s*[\"']?([a-z]\w*\.\w+)")


@dataclass(frozen=True)
class Spot:
    """What stands before the cursor.

    Attributes:
        path: the keys that lead here, the outermost first.
        key: the key whose value is typed; None where a key or an item of a list is.
        word: as much of the word as there is.
        names: in a ``${…}``, the links of a path, the last one unfinished; None elsewhere.
        after_value: whether the path begins behind a call or an index, whose type is unknown.
    """

    path: tuple[str, ...]
    key: str | None
    word: str
    names: tuple[str, ...] | None = None
    after_value: bool = False


def lines_of(text: str) -> list[str]:
    """Split a text as editors do: at line feeds, with or without a carriage return."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def spot_at(lines: list[str], line: int, column: int) -> Spot:
    """Tell what is typed at a place; lines and columns count from 0."""
    before = lines[line][:column] if line < len(lines) else ""
    flow, key, word = _flow(before)
    start = _START.match(before)
    above = tuple(reversed(list(_keys_above(lines[:line], len(start[0]) if start else 0))))
    path = (*above, *flow)
    opened = before.rfind("${")
    if opened == -1 or "}" in before[opened:]:
        return Spot(path, key, word)
    typed = before[opened + 2 :]
    found = _PATH.search(typed)
    names = found[0] if found is not None else ""
    behind = typed[: len(typed) - len(names)].rstrip("?")
    return Spot(path, key, word, tuple(names.replace("?", "").split(".")), behind[-1:] == ".")


def path_at(lines: list[str], line: int, column: int) -> tuple[tuple[str, ...], int, int]:
    """Give the names of the path under the cursor, up to the one it is on, and its columns."""
    here = lines[line] if line < len(lines) else ""
    for found in _WORDS.finditer(here):
        if found.start() <= column <= found.end():
            dot = here.find(".", column)
            end = dot if dot != -1 and dot < found.end() else found.end()
            return tuple(here[found.start() : end].replace("?", "").split(".")), found.start(), end
    return (), column, column


def word_at(lines: list[str], line: int, column: int) -> str:
    """Give the whole dotted word under the cursor."""
    here = lines[line] if line < len(lines) else ""
    words = (w for w in _WORDS.finditer(here) if w.start() <= column <= w.end())
    return next((word[0] for word in words), "")


def unit_near(lines: list[str], line: int) -> str:
    """Find the unit of the step in which a line stands: its `type`, above or below."""
    for number in range(min(line, len(lines) - 1), -1, -1):
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


def _keys_above(lines: list[str], indent: int) -> Iterator[str]:
    """Walk the keys that hold a line, the innermost first."""
    for line in reversed(lines):
        if not indent:
            return
        found = _ABOVE.match(line)
        if found is not None and len(found[1]) < indent:
            indent = len(found[1])
            yield found[2]


def _flow(before: str) -> tuple[tuple[str, ...], str | None, str]:
    """Read one line up to the cursor: the keys of open flow maps, the last key, the last word."""
    stack: list[str | None] = []
    key: str | None = None
    token = quote = ""
    for index, sign in enumerate(before):
        if quote:
            quote, token = ("" if sign == quote else quote), token + sign
        elif sign in "\"'" and not token.strip(" -"):
            quote = sign
        elif sign in "{[" and not token.strip(" -"):
            stack.append(key)
            key, token = None, ""
        elif sign in "}]," and stack:
            key = stack.pop() if sign != "," else None
            token = ""
        elif sign == ":" and before[index + 1 : index + 2] in ("", " "):
            key, token = token.strip(" -\"'"), ""
        else:
            token += sign
    return tuple(name for name in stack if name), key, token.strip(" -")
