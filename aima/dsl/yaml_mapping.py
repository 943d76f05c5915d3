"""Keys of a YAML map: text, each once, with ``<<`` merged in."""

from __future__ import annotations

from collections.abc import Iterator

from aima.dsl.diagnostic import Findings, define, named
from aima.dsl.node import Entry, Mapping, Node, Scalar, Sequence, Span, Style

DUPLICATE_KEY = define("yaml/duplicate-key", "A map has the same key twice.")
BAD_KEY = define("yaml/bad-key", "A key is not text.")
BAD_MERGE = define("yaml/bad-merge", "`<<` is given something other than maps.")


class MappingBuilder:
    """Gathers the keys and values of one map; of a key given twice the first value counts."""

    def __init__(self, findings: Findings) -> None:
        """Start an empty map."""
        self._findings = findings
        self._own: dict[str, Entry] = {}
        self._merges: dict[str, Entry] = {}

    def add(self, key: Node, value: Node) -> None:
        """Take one more key, or tell why it cannot be one."""
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            _refuse_key(key, self._findings)
            return
        group = self._merges if _is_merge(key) else self._own
        if key.value in group:
            _refuse_duplicate(key, group[key.value].key, self._findings)
        else:
            group[key.value] = Entry(key, value)

    def build(self, span: Span) -> Mapping:
        """Give the map; what ``<<`` merges comes last and never replaces a key of its own."""
        entries = dict(self._own)
        for merge in self._merges.values():
            for mapping in self._merged(merge.value):
                for name, entry in mapping.entries.items():
                    entries.setdefault(name, entry)
        return Mapping(entries, span.mark, span.end)

    def _merged(self, node: Node) -> Iterator[Mapping]:
        """Give the maps that ``<<`` names, the one that wins first."""
        for part in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(part, Mapping):
                yield part
            elif not _is_dangling(part):
                hint = "write `<<: *anchor` or `<<: [*one, *other]`; a key `<<` goes in quotes"
                self._findings.error(BAD_MERGE, part, "`<<` merges maps, and this is none", hint)


def _is_merge(key: Scalar) -> bool:
    return key.value == "<<" and key.style is Style.plain


def _is_dangling(node: Node) -> bool:
    """Whether this stands for an alias that names nothing, which is told already."""
    return isinstance(node, Scalar) and node.style is Style.plain and node.raw.startswith("*")


def _refuse_duplicate(key: Scalar, first: Scalar, findings: Findings) -> None:
    message = f"the key {named(str(key.value))} is given on line {first.mark.line} already"
    hint = "write `<<: [*one, *other]`" if _is_merge(key) else "remove one of the two"
    findings.error(DUPLICATE_KEY, key, message, hint)


def _refuse_key(key: Node, findings: Findings) -> None:
    hint = "put text that starts with `{` or `[` in quotes"
    if isinstance(key, Scalar):
        hint = f"put it in quotes: {named(key.raw)}" if key.raw else "write a key before the `:`"
    findings.error(BAD_KEY, key, f"a key is text, and this is {_kind(key)}", hint)


def _kind(node: Node) -> str:
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a map"
    names = {bool: "a boolean", int: "an integer", float: "a number"}
    return names.get(type(node.value), "null")
