"""The parts of a YAML text as they are written: brackets or not, aliases as aliases, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import yaml

from aima.dsl.yaml_compose import PARSER

_COMMENT = re.compile(r"(?:^|(?<=[ \t\n]))#.*", re.MULTILINE)


@dataclass
class Part:
    """A value as it is written; ``line`` and ``column`` count from 0.

    Attributes:
        kind: ``scalar``, ``alias``, ``map`` or ``list``.
        style: the sign a scalar starts with; ``[`` for lists and maps in brackets.
        inner: the items of a list; of a map keys and values in turn.
        tied: it has an anchor, or is an alias.
    """

    kind: str
    start: int
    end: int
    line: int
    column: int
    style: str = ""
    tied: bool = False
    inner: list[Part] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """Whether it is a list or map that is written with indentation."""
        return self.kind in {"map", "list"} and not self.style and bool(self.inner)

    @property
    def entries(self) -> list[tuple[Part, Part]]:
        """The keys and values of a map."""
        return list(zip(self.inner[::2], self.inner[1::2], strict=True))

    def walk(self) -> Iterator[Part]:
        """Give it and all parts inside, in the order of the text."""
        yield self
        for part in self.inner:
            yield from part.walk()

    def last_line(self, text: str) -> int:
        """Give the line of its last character that is no line break."""
        return self.line + text[self.start : self.end].rstrip().count("\n")


def parts(text: str) -> Part:
    """Read a text that is known to be one YAML document."""
    events = yaml.parse(text, Loader=PARSER)
    root = next(_part(event, events) for event in events if isinstance(event, yaml.NodeEvent))
    for _ in events:
        pass
    return root


def _part(event: yaml.NodeEvent, events: Iterator[yaml.Event]) -> Part:
    start, end = cast("yaml.Mark", event.start_mark), cast("yaml.Mark", event.end_mark)
    part = Part("alias", start.index, end.index, start.line, start.column, tied=bool(event.anchor))
    if isinstance(event, yaml.ScalarEvent):
        part.kind, part.style = "scalar", event.style or ""
    if isinstance(event, yaml.CollectionStartEvent):
        part.kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
        part.style = "[" if event.flow_style else ""
        while not isinstance(inner := next(events), yaml.CollectionEndEvent):
            part.inner.append(_part(cast("yaml.NodeEvent", inner), events))
        part.end = cast("yaml.Mark", inner.end_mark).index
        if part.inner and not part.style:
            part.end = part.inner[-1].end
    return part


def comments(text: str) -> list[str]:
    """Give all comments, in their order."""
    found: list[str] = []
    at = 0
    for part in parts(text).walk():
        if part.kind == "scalar":
            body = part.start
            if part.style in {"|", ">"}:  # a comment may follow the sign
                body = text.find("\n", part.start)
            found += _COMMENT.findall(text, at, max(body, at))
            at = max(at, part.end)
    return [comment.rstrip() for comment in found + _COMMENT.findall(text, at)]
