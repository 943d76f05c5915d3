"""The texts that an editor has open, each with what is known of its latest version."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlparse

from lsprotocol import types
from pygls.workspace import ServerTextPosition, TextDocument

from aima.dsl.node import Mark
from aima.gateway.reference.workflow_schema import workflow_schema
from aima.gateway.workflows.definitions import Definitions
from aima.lsp.knowledge import Knowledge
from aima.workflows.constructs import language


@dataclass
class Session:
    """Checks each version of a text once, however many questions are asked of it."""

    definitions: Definitions
    known: dict[str, Knowledge] = field(default_factory=dict)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of workflow files."""
        return workflow_schema(language(), self.definitions.catalog)

    def knowledge(self, document: TextDocument) -> Knowledge:
        """Give what is known of a text as it is now."""
        text, before = document.source, self.known.get(document.uri)
        if before is None:
            file = unquote(urlparse(document.uri).path) or document.uri
            self.known[document.uri] = Knowledge(text, file, self.definitions, self.schema)
        elif before.text != text:
            self.known[document.uri] = before.after(text)
        return self.known[document.uri]

    def forget(self, uri: str) -> None:
        """Drop a text that the editor has closed."""
        self.known.pop(uri, None)


def position_in(document: TextDocument, position: types.Position) -> ServerTextPosition:
    """Count a column as Python does: editors mostly count UTF-16 units."""
    return document.position_codec.position_from_client_units(document.lines, position)


def range_of(document: TextDocument, mark: Mark, end: Mark) -> types.Range:
    """Give a stretch of a text, in the client's units."""
    start = types.Position(mark.line - 1, mark.column - 1)
    stop = types.Position(end.line - 1, end.column - 1)
    return document.position_codec.range_to_client_units(document.lines, types.Range(start, stop))


def word_range(document: TextDocument, mark: Mark, length: int) -> types.Range:
    """Give the place of a word."""
    return range_of(document, mark, Mark(mark.line, mark.column + length))
