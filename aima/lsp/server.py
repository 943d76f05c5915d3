"""The language server, over standard input and output (Language Server Protocol 3.17)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from aima import __version__
from aima.dsl.diagnostic import Diagnostic, Severity
from aima.dsl.document import NAME, NAME_HINT, Step
from aima.dsl.node import Mark
from aima.gateway.workflows.definitions import Definitions
from aima.lsp.knowledge import Knowledge, Offer
from aima.lsp.session import Session, position_in, range_of, word_range

PAUSE = 0.15
"""Seconds without typing after which a text is checked."""

_SUGGESTED = re.compile(r"^(?:did you mean|there is) `([^`]+)`\??$")
_KINDS = {
    "unit": types.CompletionItemKind.Module,
    "key": types.CompletionItemKind.Property,
    "root": types.CompletionItemKind.Variable,
    "function": types.CompletionItemKind.Function,
    "value": types.CompletionItemKind.EnumMember,
    "workflow": types.CompletionItemKind.File,
}
_SEVERITIES = {
    Severity.error: types.DiagnosticSeverity.Error,
    Severity.warning: types.DiagnosticSeverity.Warning,
}


def make_server(definitions: Definitions) -> LanguageServer:
    """Make a server that knows the units of this installation."""
    server = LanguageServer("aima", __version__)
    session = Session(definitions)
    _tell_mistakes(server, session)
    _help_typing(server, session)
    _lead(server, session)
    _change(server, session)
    return server


def _tell_mistakes(server: LanguageServer, session: Session) -> None:
    """Publish what is wrong, once the typing pauses: a check of each letter would lag behind."""
    waiting: dict[str, asyncio.Task[None]] = {}

    def tell(uri: str) -> None:
        document = server.workspace.get_text_document(uri)
        found = session.knowledge(document).checked.diagnostics
        told = [_diagnostic(one, document) for one in found]
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, told, document.version)
        )

    async def tell_soon(uri: str) -> None:
        await asyncio.sleep(PAUSE)
        document = server.workspace.get_text_document(uri)
        known = session.knowledge(document)
        await asyncio.to_thread(lambda: known.checked)  # words are completed meanwhile
        tell(uri)

    def stop(uri: str) -> None:
        if (task := waiting.pop(uri, None)) is not None:
            task.cancel()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        tell(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        stop(uri)
        waiting[uri] = asyncio.create_task(tell_soon(uri))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        stop(params.text_document.uri)
        tell(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        stop(uri)
        session.forget(uri)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def _help_typing(server: LanguageServer, session: Session) -> None:
    """Offer what could stand here, and tell what a word means."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", "{", " "])
    )
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        document = server.workspace.get_text_document(params.text_document.uri)
        at = position_in(document, params.position)
        offers = session.knowledge(document).offers(at.line, at.character)
        return [_item(offer) for offer in offers]

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        document = server.workspace.get_text_document(params.text_document.uri)
        at = position_in(document, params.position)
        told = session.knowledge(document).hover(at.line, at.character)
        content = types.MarkupContent(types.MarkupKind.Markdown, told)
        return types.Hover(content) if told else None


def _lead(server: LanguageServer, session: Session) -> None:
    """Lead to where something is defined or used, and list the steps."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        document = server.workspace.get_text_document(params.text_document.uri)
        at = position_in(document, params.position)
        found = session.knowledge(document).definition(at.line, at.character)
        if found is None:
            return None
        if found.file is not None:
            start = types.Position(found.mark.line - 1, 0)
            return types.Location(found.file.resolve().as_uri(), types.Range(start, start))
        place = word_range(document, found.mark, found.length)
        return types.Location(document.uri, place)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        document = server.workspace.get_text_document(params.text_document.uri)
        at = position_in(document, params.position)
        name, marks = session.knowledge(document).places_of(at.line, at.character)
        asked = marks if params.context.include_declaration else marks[1:]
        places = (word_range(document, mark, len(name)) for mark in asked)
        return [types.Location(document.uri, place) for place in places]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = server.workspace.get_text_document(params.text_document.uri)
        known = session.knowledge(document).checked.document
        steps = (step for listed in known.lists for step in listed.steps) if known else ()
        return [_symbol(step, document) for step in steps]


def _change(server: LanguageServer, session: Session) -> None:
    """Rename a step, and mend what has a suggestion."""

    @server.feature(types.TEXT_DOCUMENT_RENAME)
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        document = server.workspace.get_text_document(params.text_document.uri)
        known = session.knowledge(document)
        at = position_in(document, params.position)
        name, marks = known.places_of(at.line, at.character)
        if not marks:
            return None
        _refuse_name(params.new_name, known)
        ranges = (word_range(document, mark, len(name)) for mark in marks)
        edits = [types.TextEdit(place, params.new_name) for place in ranges]
        return types.WorkspaceEdit({document.uri: edits})

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        document = server.workspace.get_text_document(uri)
        return [
            action
            for found in params.context.diagnostics
            if (action := _mend(found, document)) is not None
        ]


def _refuse_name(name: str, known: Knowledge) -> None:
    """Refuse what is no id, or another step's.

    Raises:
        JsonRpcInvalidParams: it is.
    """
    if not NAME.fullmatch(name):
        raise JsonRpcInvalidParams(f"{name!r} is no id; {NAME_HINT}")
    if known.document is not None and name in known.document.ids:
        raise JsonRpcInvalidParams(f"there is a step {name!r} already")


def _mend(found: types.Diagnostic, document: TextDocument) -> types.CodeAction | None:
    """Put the suggested word in place of the wrong one."""
    hint = found.message.rpartition("\n")[2]
    suggested = _SUGGESTED.match(hint)
    start, end = found.range.start, found.range.end
    if found.source != "aima" or suggested is None or start.line != end.line:
        return None
    first = document.position_codec.position_from_client_units(document.lines, start)
    last = document.position_codec.position_from_client_units(document.lines, end)
    wrong = document.lines[first.line][first.character : last.character]
    named = re.findall(r"`([^`]+)`", found.message.partition("\n")[0])
    part = next((name for name in named if name in wrong), wrong)
    column = first.character + 1 + wrong.rfind(part)
    place = word_range(document, Mark(first.line + 1, column), len(part))
    edit = types.WorkspaceEdit({document.uri: [types.TextEdit(place, suggested[1])]})
    return types.CodeAction(
        title=f"Change to `{suggested[1]}`",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[found],
        is_preferred=True,
        edit=edit,
    )


def _symbol(step: Step, document: TextDocument) -> types.DocumentSymbol:
    inside = [inner for listed in step.lists for inner in listed.steps]
    body = step.get("type")
    name = word_range(document, step.place.locate(0), len(step.id))
    return types.DocumentSymbol(
        name=step.id,
        detail=str(getattr(body, "value", "") or step.body),
        kind=types.SymbolKind.Namespace if inside else types.SymbolKind.Function,
        range=range_of(document, step.node.mark, step.node.end),
        selection_range=name,
        children=list(_symbols(inside, document)),
    )


def _symbols(steps: list[Step], document: TextDocument) -> Iterator[types.DocumentSymbol]:
    for step in steps:
        yield _symbol(step, document)


def _diagnostic(found: Diagnostic, document: TextDocument) -> types.Diagnostic:
    mark = Mark(found.line, found.column)
    end = Mark(found.line, found.end_column or found.column + 1)
    hint = f"\n{found.hint}" if found.hint else ""
    return types.Diagnostic(
        range=range_of(document, mark, end),
        message=found.message + hint,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="aima",
    )


def _item(offer: Offer) -> types.CompletionItem:
    told = types.MarkupContent(types.MarkupKind.Markdown, offer.told) if offer.told else None
    return types.CompletionItem(
        label=offer.word,
        kind=_KINDS.get(offer.detail, types.CompletionItemKind.Field),
        detail=offer.detail or None,
        documentation=told,
        insert_text=f"{offer.word}: " if offer.detail == "key" else None,
    )
