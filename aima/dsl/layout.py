"""The usual layout of a workflow file, without a change of what it says.

Each pass moves lines or blanks about and is kept only if the text then reads the same: the same
values of the same types, the same comments in the same order. So a layout that no pass foresaw
stays as it is.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import pairwise

from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.dsl.yaml_parts import Part, comments, parts

_STEP = 2  # blanks of an indentation
_MOST_ROUNDS = 5  # one pass may make work for another; two are the rule
_LISTS_OF_STEPS = ("steps", "on_failure", "finally", "else")
_LISTS_OF_BRANCHES = ("switch", "race", "catch")
_HEAD = ("id", "description")
_NESTING = ("steps", "switch", "race", "repeat")
"""What makes a step long: nobody would look for a modifier after it."""

_MODIFIERS = frozenset(
    {
        *("depends_on", "if", "for_each", "timeout", "deadline", "heartbeat", "retry"),
        *("on_failure", "catch", "compensate", "cache", "queue", "priority", "labels"),
        *("stream", "local", "finally"),
    }
)


class _Unusual(Exception):
    """The text is laid out in a way this does not know."""


def formatted(text: str, file: str) -> str | None:
    r"""Give the text in the usual layout; None where it cannot be read.

    Line breaks come out as ``\n``.
    """
    source, root, found = load(text, file)
    if found or root is None:
        return None
    now, before = source.text, ""
    for _ in range(_MOST_ROUNDS):
        if now == before:
            break
        before = now
        for work in (_indented, _ordered, _spaced):
            now = _kept(work, now)
    return now


def _kept(work: Callable[[str, Part], str], text: str) -> str:
    """Do one pass; give the text as it was where it would read otherwise."""
    try:
        after = work(text, parts(text))
    except _Unusual:
        return text
    return after if after == text or reads_the_same(text, after) else text


def reads_the_same(some: str, other: str) -> bool:
    """Tell whether two texts hold the same values and comments."""
    values = []
    for text in (some, other):
        _, root, found = load(text, "")
        if found or root is None:
            return False
        values.append(json.dumps(to_json(root), sort_keys=True))
    return values[0] == values[1] and comments(some) == comments(other)


# -- indentation -----------------------------------------------------------------------------


def _indented(text: str, root: Part) -> str:
    """Indent every block by two blanks, the items of a list below their key too."""
    lines = text.split("\n")
    shifts: dict[int, int] = {}
    starts: list[int] = []  # the lines that begin with a key or a dash
    if root.is_block:
        for number, shift, begins in _shifts(text, root, 0):
            if number not in shifts and begins:
                starts.append(number)
            shifts.setdefault(number, shift)
    starts.sort()
    for number, line in enumerate(lines):
        if line.lstrip(" ").startswith("#") and number not in shifts:
            shifts[number] = _shift_of_comment(number, lines, starts, shifts)
    return "\n".join(_shifted(line, shifts.get(number, 0)) for number, line in enumerate(lines))


def _shifts(text: str, block: Part, column: int) -> Iterator[tuple[int, int, bool]]:
    """Give by how much each line of a block moves, and whether it begins with a key or a dash."""
    for number, part in enumerate(block.inner):
        is_value = block.kind == "map" and number % 2 == 1
        owner = block.inner[number - 1] if is_value else part
        mark = _dash(text, part) if block.kind == "list" else owner.column
        shift = column - mark
        if not is_value:
            if block.kind == "map" and not re.fullmatch(r"[ -]*", _before(text, part)):
                raise _Unusual
            yield part.line, shift, True
        if part.is_block:
            first = part.inner[0]
            inside = _dash(text, first) if part.kind == "list" else first.column
            beside = block.kind == "list" and first.line == part.line
            yield from _shifts(text, part, inside + shift if beside else column + _STEP)
        else:
            for line in range(part.line + 1, part.last_line(text) + 1):
                yield line, shift, False


def _dash(text: str, item: Part) -> int:
    """Find the column of an item's dash, which must stand on its line."""
    before = _before(text, item).rstrip()
    if not before.endswith("-"):
        raise _Unusual
    return len(before) - 1


def _before(text: str, part: Part) -> str:
    return text[part.start - part.column : part.start]


def _shift_of_comment(
    number: int, lines: list[str], starts: list[int], shifts: dict[int, int]
) -> int:
    """Put a comment in line with what it stands over, or with the block it ends."""
    column = _column(lines[number])
    place = bisect(starts, number)
    below = starts[place : place + 1]
    above = [line for line in reversed(starts[:place]) if _column(lines[line]) <= column][:1]
    if not below and not above:
        return 0
    near = max((*above, *below), key=lambda line: (_column(lines[line]), line))
    return _column(lines[near]) + shifts[near] - column


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _shifted(line: str, shift: int) -> str:
    if shift >= 0:
        return " " * shift + line if line else line
    return line[min(-shift, _column(line)) :]


# -- the order of a step's keys ----------------------------------------------------------------


def _ordered(text: str, root: Part) -> str:
    """Put `id`, `description`, the body and its input first, where no comment is near."""
    lines = text.split("\n")
    for steps in _lists_of_steps(text, root):
        for step in steps.inner:
            if step.kind == "map" and step.is_block:
                _order(text, lines, step)
    return "\n".join(lines)


def _order(text: str, lines: list[str], step: Part) -> None:
    """Order the keys of one step, whose inner steps are ordered after it."""
    names = [_name(text, key) for key, _ in step.entries]
    order = sorted(range(len(names)), key=lambda index: _rank(names[index]))
    first, last = step.line, step.inner[-1].last_line(text)
    written = lines[first : last + 1]
    if order == sorted(order) or not _movable(text, written, step):
        return
    begins = [key.line for key, _ in step.entries] + [last + 1]
    column = step.inner[0].column
    chunks = [lines[a:b] for a, b in pairwise(begins)]
    head = lines[first][:column]
    moved = [
        (head if place == 0 else " " * column) + chunks[index][0][column:]
        if row == 0
        else chunks[index][row]
        for place, index in enumerate(order)
        for row in range(len(chunks[index]))
    ]
    lines[first : last + 1] = moved


def _movable(text: str, written: list[str], step: Part) -> bool:
    """Tell whether whole lines of a step can change places."""
    own_lines = len({key.line for key, _ in step.entries}) == len(step.entries)
    plain = not any(part.tied for part in step.walk())
    kept = any(part.style in {"|", ">"} and "+" in text[part.start : part.start + 3]
               for part in step.walk())  # fmt: skip
    calm = not any(not line.strip() or "#" in line for line in written)
    nested = any(_name(text, key) in _NESTING for key, _ in step.entries)
    return own_lines and plain and not kept and calm and not nested


def _rank(name: str) -> int:
    if name in _HEAD:
        return _HEAD.index(name)
    if name in _MODIFIERS:
        return 4
    return 3 if name == "input" else 2


def _name(text: str, key: Part) -> str:
    return text[key.start : key.end].strip("\"'")


def _lists_of_steps(text: str, part: Part, *, top: bool = True) -> Iterator[Part]:
    """Find the lists of steps of a document, a step or a branch, the outer ones first."""
    if part.kind != "map":
        return
    for key, value in part.entries:
        name = _name(text, key)
        if value.kind != "list":
            continue
        if name in _LISTS_OF_STEPS and (top or name != "on_failure"):
            yield value
        elif name not in _LISTS_OF_BRANCHES:
            continue
        for item in value.inner:
            yield from _lists_of_steps(text, item, top=False)


# -- blank lines -------------------------------------------------------------------------------


def _spaced(text: str, root: Part) -> str:
    """Put one blank line around what takes several lines; take trailing blanks away."""
    lines = text.split("\n")
    fixed = _inside_texts(text, root)
    wanted = {_with_comments(lines, line, fixed) for line in _beginnings(text, root)}
    out: list[str] = []
    for number, line in enumerate(lines):
        if number in fixed:
            out.append(line)
            continue
        bare = line.rstrip(" \t")
        if number in wanted and out and out[-1]:
            out.append("")
        if bare or (out and (out[-1] or number - 1 in fixed)):
            out.append(bare)
    return "\n".join(out).strip("\n") + "\n"


def _inside_texts(text: str, root: Part) -> set[int]:
    """Give the lines that are inside a text of several lines."""
    inside: set[int] = set()
    for part in root.walk():
        if part.kind == "scalar":
            inside.update(range(part.line + 1, part.last_line(text) + 1))
    return inside


def _beginnings(text: str, root: Part) -> Iterator[int]:
    """Give the lines of keys and steps that have a blank line above them."""
    if not root.is_block or root.kind != "map":
        return
    yield from _long(text, [(key.line, value) for key, value in root.entries])
    for steps in _lists_of_steps(text, root):
        if steps.is_block:
            yield from _long(text, [(step.line, step) for step in steps.inner])


def _long(text: str, neighbours: list[tuple[int, Part]]) -> Iterator[int]:
    long = [part.last_line(text) > line for line, part in neighbours]
    for index in range(1, len(neighbours)):
        if long[index] or long[index - 1]:
            yield neighbours[index][0]


def _with_comments(lines: list[str], line: int, fixed: set[int]) -> int:
    """Go up to the first line of the comment over a line."""
    while line > 0 and line - 1 not in fixed and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line
