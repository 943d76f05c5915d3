"""From a pipeline file of the earlier system to today's style, without touching anything else.

The text is edited at the places of its nodes and never written anew, so that comments, quotes and
layout stay the author's. What is changed means the same before and after (design, language.md,
fine print 16); only ``inputs`` says more than there was: which inputs a run takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from aima.dsl.edit import Edits
from aima.dsl.expression import ExpressionError, Read
from aima.dsl.load import load
from aima.dsl.node import Mapping, Mark, Node, Scalar, Sequence
from aima.dsl.template import parse_template

_OLDER_SEARCH, _SEARCH = "resource.search_vectors", "retrieval.search"
_HEAD = ("name", "description", "version", "labels")
_PLAIN_KEY = re.compile(r"(?!(?:true|false|null)$)[A-Za-z_][\w-]*")


@dataclass(frozen=True, order=True)
class Change:
    """One thing that was changed, at a line of the older file."""

    line: int
    what: str


@dataclass(frozen=True)
class _Text:
    """A text with expressions, where it stands, and what they read."""

    node: Scalar
    path: tuple[str | int, ...]
    reads: tuple[Read, ...]


@dataclass(frozen=True)
class _Step:
    node: Mapping
    type: str
    texts: tuple[_Text, ...]


def import_older(text: str, file: str) -> tuple[str, list[Change]]:
    r"""Turn an older file into today's style; give the new text and what was changed, by line.

    Line breaks come out as ``\n``. A file with mistakes of YAML comes back as it is: the checker
    tells what is wrong with it.
    """
    source, root, found = load(text, file)
    if found or not isinstance(root, Mapping):
        return source.text, []
    importing = _Import(source.text, root)
    importing.gather()
    return importing.edits.made(), sorted(importing.changes)


class _Import:
    """The import of one file: one method for each thing that is written otherwise today."""

    def __init__(self, text: str, root: Mapping) -> None:
        self.edits = Edits(text)
        self.changes: set[Change] = set()
        self.root = root
        steps = root.get("steps")
        items = steps.items if isinstance(steps, Sequence) else ()
        nodes = {index: node for index, node in enumerate(items) if isinstance(node, Mapping)}
        self.types = {_said(node.get("id")): _said(node.get("type")) for node in nodes.values()}
        self.texts = list(self._texts(root, ()))
        self.steps = [
            _Step(
                node,
                _said(node.get("type")),
                tuple(text for text in self.texts if text.path[:2] == ("steps", index)),
            )
            for index, node in nodes.items()
        ]

    def gather(self) -> None:
        """Gather all edits and changes."""
        for step in self.steps:
            self._retry(step)
            self._on_failure(step)
            self._depends_on(step)
            self._search(step)
        for text in self.texts:
            self._answer(text)
        self._inputs()

    def _retry(self, step: _Step) -> None:
        retry = step.node.get("retry")
        entry = retry.entries.get("delay_seconds") if isinstance(retry, Mapping) else None
        if not isinstance(retry, Mapping) or entry is None or "delay" in retry.entries:
            return
        duration = _duration(entry.value)
        if duration is None or entry.value.mark < entry.key.mark:
            return  # an expression or an alias: the older spelling is understood
        self.edits.replace(entry.key.mark, entry.key.end, "delay")
        if "backoff" in retry.entries:
            backoff = ""
        elif self.edits.is_flow(retry):
            backoff = ", backoff: 1"
        else:
            backoff = ""
            blanks = " " * (entry.key.mark.column - 1)
            self.edits.insert_line(entry.value.end, f"{blanks}backoff: 1")
        self.edits.replace(entry.value.mark, entry.value.end, duration + backoff)
        self._changed(entry.key.mark, "`delay_seconds` is `delay` with `backoff: 1`")

    def _on_failure(self, step: _Step) -> None:
        entry = step.node.entries.get("on_failure")
        said = _said(entry.value) if entry else ""
        if entry and said in {"retry", "abort"} and self.edits.remove(step.node, entry):
            self._changed(entry.key.mark, f"`on_failure: {said}` is the default: removed")

    def _depends_on(self, step: _Step) -> None:
        entry = step.node.entries.get("depends_on")
        listed = entry.value if entry else None
        if entry is None or not isinstance(listed, Sequence) or listed.mark < entry.key.mark:
            return
        read = {r.path[1] for text in step.texts for r in text.reads if r.path[0] == "steps"}
        kept = [item for item in listed.items if _said(item) not in read]
        gone = [item for item in listed.items if _said(item) in read]
        if gone and self._keep(step, kept, gone):
            names = ", ".join(f"`{_said(item)}`" for item in gone)
            self._changed(
                entry.key.mark, f"`depends_on` {names} follows from what is read: removed"
            )

    def _keep(self, step: _Step, kept: list[Node], gone: list[Node]) -> bool:
        """Leave only some items of a `depends_on`; tell whether that can be done without harm."""
        entry = step.node.entries["depends_on"]
        if not kept:
            return self.edits.remove(step.node, entry)
        raw = self.edits.raw(entry.value)
        if "&" in raw or "*" in raw:
            return False
        if not self.edits.is_flow(entry.value):
            for item in gone:
                self.edits.remove_lines(item.mark, item.end)
            return True
        if "\n" in raw:
            return False
        shown = ", ".join(map(self.edits.raw, kept))
        self.edits.replace(entry.value.mark, entry.value.end, f"[{shown}]")
        return True

    def _search(self, step: _Step) -> None:
        if step.type not in {_OLDER_SEARCH, _SEARCH}:
            return
        kind, given = step.node.entries["type"], step.node.get("input")
        vector = given.entries.get("vector") if isinstance(given, Mapping) else None
        renames = isinstance(given, Mapping) and "query_embedding" not in given.entries
        if step.type == _OLDER_SEARCH and kind.key.mark < kind.value.mark:
            self.edits.replace(kind.value.mark, kind.value.end, _SEARCH)
            self._changed(kind.value.mark, f"`{_OLDER_SEARCH}` is `{_SEARCH}`")
            if vector and renames:
                self.edits.replace(vector.key.mark, vector.key.end, "query_embedding")
                self._changed(vector.key.mark, "`vector` is `query_embedding`")
        for text in step.texts:
            if text.path[2:] in {("input", "query_embedding"), ("input", "vector")}:
                self._embedding(text)

    def _embedding(self, text: _Text) -> None:
        for step, kind in self.types.items():
            whole = f"${{steps.{step}.embeddings}}"
            if kind == "inference.embed" and text.node.value == whole:
                self._shorten(text, text.reads[0], ".embeddings", ".embedding")

    def _answer(self, text: _Text) -> None:
        for read in text.reads:
            match read.path:
                case ("steps", step, "response", "content"):
                    if self.types.get(step) == "inference.chat":
                        self._shorten(text, read, ".response.content", ".content")

    def _shorten(self, text: _Text, read: Read, before: str, after: str) -> None:
        """Replace the end of a path where it is written without blanks and brackets."""
        end = self.edits.at(text.node.locate(read.end))
        start = self.edits.at(text.node.locate(read.end - len(before)))
        if self.edits.text[start:end] == before:
            self.edits.replace(
                text.node.locate(read.end - len(before)), text.node.locate(read.end), after
            )
            self._changed(text.node.locate(read.offset), f"`{before}` is `{after}`")

    def _inputs(self) -> None:
        reads = [read for text in self.texts for read in text.reads if read.path[0] == "input"]
        first = next((e for key, e in self.root.entries.items() if key not in _HEAD), None)
        whole = any(len(read.path) == 1 for read in reads)  # then any of it may be meant
        if "inputs" in self.root.entries or not reads or whole or first is None:
            return
        blanks = self.edits.before(first.key.mark)
        if blanks.strip():
            return
        names = list(dict.fromkeys(read.path[1] for read in reads))
        needed = {r.path[1] for r in reads if r.tolerated > 1 and r.proven <= 1}
        required = ", ".join(_key(name) for name in names if name in needed)
        block = ["inputs:", "  type: object"]
        block += [f"  required: [{required}]"] if required else []
        block += ["  properties:", *(f"    {_key(name)}: {{}}" for name in names)]
        line = self._line_above(first.key.mark.line)
        text = "".join(f"{blanks}{line}\n" for line in block)
        self.edits.insert(self.edits.at(Mark(line, 1)), f"{text}\n")
        self._changed(Mark(line, 1), f"`inputs` says what is read: {', '.join(names)}")

    def _line_above(self, line: int) -> int:
        """Give the first line of the comment that belongs to a line; the file's own is none."""
        lines = self.edits.text.split("\n")
        first = line
        while first > 1 and lines[first - 2].lstrip(" ").startswith("#"):
            first -= 1
        return first if first > 1 else line

    def _texts(self, node: Node, path: tuple[str | int, ...]) -> Iterator[_Text]:
        if isinstance(node, Mapping):
            for key, entry in node.entries.items():
                yield from self._texts(entry.value, (*path, key))
        elif isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                yield from self._texts(item, (*path, index))
        elif isinstance(node.value, str) and "${" in node.value:
            try:
                yield _Text(node, path, parse_template(node.value, self.types).reads)
            except ExpressionError:
                return  # the checker tells

    def _changed(self, mark: Mark, what: str) -> None:
        self.changes.add(Change(mark.line, what))


def _said(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def _duration(node: Node) -> str | None:
    """Write seconds as a duration; None: it is no number."""
    seconds = node.value if isinstance(node, Scalar) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        return None
    return f"{seconds:g}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
