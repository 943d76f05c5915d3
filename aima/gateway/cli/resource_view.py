"""Resources as people read them: fields in lines, collections in rows, changes as what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aima.dsl.render import escaped

_LONGEST_CELL = 60
_COLUMNS = 6


def page(data: dict[str, Any]) -> Iterator[str]:
    """Give the lines of what a resource shows."""
    for name, value in data.items():
        if _is_rows(value):
            yield from rows(value)
        else:
            yield f"{escaped(name)}: {_cell(value, longest=2_000)}"


def rows(items: list[dict[str, Any]], *, longest: int = _LONGEST_CELL) -> Iterator[str]:
    """Give a table of what the items have in common; `--json` has the rest."""
    names = [name for name in items[0] if not any(_is_nested(i.get(name)) for i in items)]
    names = names[:_COLUMNS]
    cells = [[_cell(item.get(name), longest=longest) for name in names] for item in items]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for row in ([escaped(name).upper() for name in names], *cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


@dataclass
class Changes:
    """The changes of a resource, each as one line; it remembers what was there before."""

    before: dict[str, dict[str, Any]] = field(default_factory=dict)

    def line(self, change: dict[str, Any]) -> str:
        """Tell a change; nothing where there is nothing to tell."""
        kind, uri, now = change["type"], change["uri"], change.get("object", {})
        if kind == "BOOKMARK":
            return ""
        if kind == "ERROR":
            return f"{kind:<8}  {uri}  {now.get('code')}: {escaped(str(now.get('detail')))}"
        old = self.before.get(uri, {})
        self.before[uri] = now
        new = {k: v for k, v in now.items() if k not in old or old[k] != v}
        told = new if kind == "MODIFIED" else {} if kind == "DELETED" else now
        words = "  ".join(f"{escaped(k)}={_cell(v)}" for k, v in told.items())
        missed = f"  ({change['coalesced']} before)" if "coalesced" in change else ""
        return f"{kind:<8}  {uri}  {words}{missed}".rstrip()


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, dict) for i in value)


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _cell(value: object, *, longest: int = _LONGEST_CELL) -> str:
    text = value if isinstance(value, str) else "-" if value is None else json.dumps(value)
    text = escaped(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
