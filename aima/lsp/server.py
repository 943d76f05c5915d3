"""The language server, over standard input and output (Language Server Protocol 3.17)."""

from __future__ import annotations

from urllib.parse import unquote, urlparse

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from aima import __version__
from aima.dsl.diagnostic import Diagnostic, Severity
from aima.gateway.definitions import Definitions
from aima.lsp.knowledge import Knowledge, Offer

_KINDS = {
    "unit": types.CompletionItemKind.Function,
    "key": types.CompletionItemKind.Property,
    "root": types.CompletionItemKind.Variable,
}
_SEVERITIES = {
    Severity.error: types.DiagnosticSeverity.Error,
    Severity.warning: types.DiagnosticSeverity.Warning,
}


def make_server(definitions: Definitions) -> LanguageServer:
    """Make a server that knows the units of this installation."""
    server = LanguageServer("aima", __version__)

    def knowledge(uri: str) -> tuple[TextDocument, Knowledge]:
        document = server.workspace.get_text_document(uri)
        file = unquote(urlparse(uri).path) or uri
        return document, Knowledge(document.source, file, definitions)

    def tell(uri: str) -> None:
        document, known = knowledge(uri)
        found = [_diagnostic(one, document) for one in known.checked.diagnostics]
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, found, document.version)
        )

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        tell(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        tell(params.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", "{", " "])
    )
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        document, known = knowledge(params.text_document.uri)
        at = document.position_codec.position_from_client_units(document.lines, params.position)
        return [_item(offer) for offer in known.offers(at.line, at.character)]

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        document, known = knowledge(params.text_document.uri)
        at = document.position_codec.position_from_client_units(document.lines, params.position)
        told = known.hover(at.line, at.character)
        content = types.MarkupContent(types.MarkupKind.Markdown, told)
        return types.Hover(content) if told else None

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        document, known = knowledge(params.text_document.uri)
        at = document.position_codec.position_from_client_units(document.lines, params.position)
        step = known.definition(at.line, at.character)
        if step is None:
            return None
        mark = step.place.mark
        start = types.Position(mark.line - 1, mark.column - 1)
        end = types.Position(mark.line - 1, mark.column - 1 + len(step.id))
        place = _range(document, start, end)
        return types.Location(params.text_document.uri, place)

    return server


def _diagnostic(found: Diagnostic, document: TextDocument) -> types.Diagnostic:
    start = types.Position(found.line - 1, found.column - 1)
    end = types.Position(found.line - 1, (found.end_column or found.column + 1) - 1)
    hint = f"\n{found.hint}" if found.hint else ""
    return types.Diagnostic(
        range=_range(document, start, end),
        message=found.message + hint,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="aima",
    )


def _range(document: TextDocument, start: types.Position, end: types.Position) -> types.Range:
    """Count columns as the client does: mostly in UTF-16 units."""
    return document.position_codec.range_to_client_units(document.lines, types.Range(start, end))


def _item(offer: Offer) -> types.CompletionItem:
    return types.CompletionItem(
        label=offer.word,
        kind=_KINDS.get(offer.detail, types.CompletionItemKind.Field),
        detail=offer.detail or None,
        documentation=offer.told or None,
    )
