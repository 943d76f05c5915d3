"""From YAML events to nodes with marks, within bounds that are checked on every event.

Nothing is expanded to find out how large it is: an alias is charged what its anchor cost, so an
alias bomb and a deep nest are refused at the event that goes too far.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, TypeAlias, cast

import yaml

from aima.dsl.diagnostic import Findings, define, named
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, Mark, Node, Scalar, Sequence, Span, Style
from aima.dsl.yaml_mapping import MappingBuilder
from aima.dsl.yaml_scalar import BAD_ESCAPE, BAD_TAG, Unreadable, Value, resolve, resolve_tagged
from aima.dsl.yaml_source import TOO_LARGE, Source

EMPTY = define("yaml/empty", "The file says nothing.")
SEVERAL_DOCUMENTS = define("yaml/several-documents", "The file holds more than one document.")
TOO_DEEP = define("yaml/too-deep", "Lists and maps are nested too deeply.")
TOO_MANY_NODES = define("yaml/too-many-nodes", "The file has too many values, aliases expanded.")
TOO_MANY_MISTAKES = define("yaml/too-many-mistakes", "The rest of the file was not read.")
UNKNOWN_ALIAS = define("yaml/unknown-alias", "An alias names no anchor above it.")
RECURSIVE_ALIAS = define("yaml/recursive-alias", "An alias stands inside the value it names.")

Parser: TypeAlias = type[yaml.SafeLoader] | type["yaml.CSafeLoader"]
PARSER: Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, as all its wheels are: 15 times as fast."""

_SPLIT = "split the workflow with `workflow: ./part.yaml`; an alias counts as all it names"
_CORE_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset({"str", "int", "float", "bool", "null"})
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:[ \t\n]|(?<=\s)#.*)*)*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STYLES: dict[str | None, Style] = {None: Style.plain, **{style.value: style for style in Style}}


@dataclass(frozen=True)
class Limits:
    """How much one file may hold; past any of these it is refused.

    ``bytes`` bounds the file and also the text it expands to, ``depth`` the lists and maps inside
    each other, ``nodes`` the keys and values, with every alias expanded. After ``mistakes`` of
    them the rest of the file is not read.
    """

    bytes: int = 1_000_000
    depth: int = 256
    nodes: int = 100_000
    mistakes: int = 100


class _Refused(Exception):
    """Reading stops here; why has been told."""


class Composer:
    """Builds the nodes of one file."""

    def __init__(
        self, source: Source, findings: Findings, *, limits: Limits, parser: Parser = PARSER
    ) -> None:
        """Make one for one file; its findings go where the others of the file are."""
        self._text = source.text
        self._findings = findings
        self._limits = limits
        self._events: Iterator[yaml.Event] = iter(yaml.parse(source.text, Loader=parser))
        self._anchors: dict[str, Node | None] = {}  # None while the anchored value is open
        self._depth = self._nodes = self._characters = 0

    def compose(self) -> Node | None:
        """Give the document's root; None where it is empty or goes past a limit.

        Raises:
            yaml.YAMLError: the text is not YAML. What was found before stays in the findings.
            ValueError, OverflowError: an escape that PyYAML's own parser does not check.
        """
        try:
            return self._document()
        except _Refused:
            return None

    def _document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    hint = "keep each workflow in a file of its own"
                    message = "a second document starts here"
                    self._findings.error(SEVERAL_DOCUMENTS, _span(event), message, hint)
                    return root
                root = self._node(next(self._events))
        if root is None or (isinstance(root, Scalar) and root.value is None and not root.raw):
            self._findings.error(EMPTY, Mark(1, 1), "the file is empty", "start with `name:`")
            return None
        return root

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        return self._collection(cast("yaml.CollectionStartEvent", event))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        self._charge(event, 1, len(event.value))
        start, end = _marks(event)
        style = _STYLES[event.style]
        raw = self._text[start.index : end.index]
        mark = Mark(start.line + 1, start.column + 1)
        if event.anchor is not None or event.tag is not None:
            properties = cast("re.Match[str]", _PROPERTIES.match(raw))[0]
            raw = raw[len(properties) :]
            mark = _after(mark, properties)
        value = self._value(event, style)
        node = Scalar(value, mark, Mark(end.line + 1, end.column + 1), style, raw)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _value(self, event: yaml.ScalarEvent, style: Style) -> Value:
        text, tag = event.value, event.tag
        try:
            if tag is None:
                return resolve(text) if style is Style.plain else _encodable(text)
            if tag != "!" and self._tag_fits(event, tag, _SCALAR_TAGS):
                return resolve_tagged(text, tag.removeprefix(_CORE_TAG))
        except Unreadable as error:
            self._findings.error(error.code, _span(event), error.message, error.hint)
            return error.instead
        return text

    def _collection(self, event: yaml.CollectionStartEvent) -> Node:
        self._charge(event, 1, 0)
        self._depth += 1
        self._check_depth(event, self._depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        is_list = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!"):
            self._tag_fits(event, event.tag, frozenset({"seq" if is_list else "map"}))
        node = self._sequence(event) if is_list else self._mapping(event)
        self._depth -= 1
        # An inner value may have taken the anchor's name over; then it keeps it.
        if event.anchor is not None and self._anchors[event.anchor] is None:
            self._anchors[event.anchor] = node
        return node

    def _sequence(self, start: yaml.Event) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return Sequence(tuple(items), _start(start), _end(event))

    def _mapping(self, start: yaml.Event) -> Mapping:
        builder = MappingBuilder(self._findings)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event)
            builder.add(key, self._node(next(self._events)))
        return builder.build(Span(_start(start), _end(event)))

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name, at = cast("str", event.anchor), _span(event)
        node = self._anchors.get(name)
        if node is not None:
            size = _measure(node)
            self._charge(event, size.nodes, size.characters)
            self._check_depth(event, self._depth + size.height)
            return node
        self._charge(event, 1, len(name))
        if name in self._anchors:
            message = f"the alias {named(f'*{name}')} stands inside the value it names"
            hint = "a value cannot contain itself; name another anchor"
            self._findings.error(RECURSIVE_ALIAS, at, message, hint)
        else:
            near = nearest(name, self._anchors)
            hint = f"did you mean `*{near}`?" if near else "put it in quotes if text is meant"
            message = f"the alias {named(f'*{name}')} names no anchor above it"
            self._findings.error(UNKNOWN_ALIAS, at, message, hint)
        return Scalar(f"*{name}", at.mark, at.end, Style.plain, f"*{name}")

    def _tag_fits(self, event: yaml.NodeEvent, tag: str, fitting: frozenset[str]) -> bool:
        core = tag.removeprefix(_CORE_TAG)
        if core != tag and core in fitting:
            return True
        shown = tag if core == tag else f"!!{core}"
        hint = "remove it, or put the value in quotes if the `!` belongs to the text"
        self._findings.error(
            BAD_TAG, _span(event).mark, f"the tag {named(shown)} has no place here", hint
        )
        return False

    def _charge(self, event: yaml.Event, nodes: int, characters: int) -> None:
        self._nodes += nodes
        self._characters += characters
        limits = self._limits
        if (
            self._nodes <= limits.nodes
            and self._characters <= limits.bytes
            and len(self._findings.all) < limits.mistakes
        ):
            return
        if self._nodes > self._limits.nodes:
            message = f"the file has more than {self._limits.nodes} keys and values"
            self._refuse(TOO_MANY_NODES, event, message)
        if len(self._findings.all) >= self._limits.mistakes:
            message = f"after {self._limits.mistakes} mistakes the rest of the file is not read"
            self._refuse(TOO_MANY_MISTAKES, event, message, "mend those first")
        if self._characters > self._limits.bytes:
            message = f"with its aliases the file has more than {self._limits.bytes} characters"
            self._refuse(TOO_LARGE, event, message)

    def _check_depth(self, event: yaml.Event, depth: int) -> None:
        if depth > self._limits.depth:
            message = f"lists and maps are nested more than {self._limits.depth} deep"
            self._refuse(TOO_DEEP, event, message)

    def _refuse(self, code: str, event: yaml.Event, message: str, hint: str = _SPLIT) -> NoReturn:
        self._findings.error(code, _span(event), message, hint)
        raise _Refused


@dataclass(frozen=True)
class _Size:
    nodes: int
    characters: int
    height: int


def _measure(node: Node) -> _Size:
    """Measure a value with its aliases expanded; it was charged already, so this is bounded."""
    if isinstance(node, Scalar):
        return _Size(1, len(node.value) if isinstance(node.value, str) else len(node.raw), 0)
    inner: list[Node]
    if isinstance(node, Sequence):
        inner = list(node.items)
    else:
        inner = [part for entry in node.entries.values() for part in (entry.key, entry.value)]
    sizes = [_measure(part) for part in inner]
    return _Size(
        1 + sum(size.nodes for size in sizes),
        sum(size.characters for size in sizes),
        1 + max((size.height for size in sizes), default=0),
    )


def _encodable(text: str) -> str:
    """Refuse half a surrogate pair, which PyYAML's own parser lets an escape make."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    message = "an escape names half a surrogate pair, which is no character"
    hint = "write the character itself, or its number after `\\U`"
    raise Unreadable(BAD_ESCAPE, message, hint=hint, instead=_SURROGATE.sub("\ufffd", text))


def _marks(event: yaml.Event) -> tuple[yaml.Mark, yaml.Mark]:
    """Give the marks of an event: both parsers always set them, their types do not say so."""
    return cast("yaml.Mark", event.start_mark), cast("yaml.Mark", event.end_mark)


def _span(event: yaml.Event) -> Span:
    return Span(_start(event), _end(event))


def _start(event: yaml.Event) -> Mark:
    start, _ = _marks(event)
    return Mark(start.line + 1, start.column + 1)


def _end(event: yaml.Event) -> Mark:
    _, end = _marks(event)
    return Mark(end.line + 1, end.column + 1)


def _after(mark: Mark, text: str) -> Mark:
    breaks = text.count("\n")
    if not breaks:
        return Mark(mark.line, mark.column + len(text))
    return Mark(mark.line + breaks, len(text) - text.rfind("\n"))
