"""`aima lsp`, driven over its protocol by the client of the library that speaks it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest_asyncio
from lsprotocol import types
from pygls.lsp.client import LanguageClient

URI = "file:///w.yaml"
TEXT = """name: édité
inputs: {type: object, required: [topic], properties: {topic: {type: string}}}
steps:
  - id: draft
    type: inference.chat
    input:
      messages: [{role: user, content: "About ${input.topic}"}]
  - id: letter
    type: template.render
    input: {text: hi, values: {body: "${steps.draft.content}"}}
"""


@dataclass
class Editor:
    """An editor with one file, and what it was told of it."""

    client: LanguageClient = field(default_factory=lambda: LanguageClient("test", "1"))
    told: asyncio.Queue[Sequence[types.Diagnostic]] = field(default_factory=asyncio.Queue)

    def show(self, text: str) -> None:
        """Open a text."""
        item = types.TextDocumentItem(URI, "yaml", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    async def diagnostics(self) -> Sequence[types.Diagnostic]:
        """Wait for what is wrong."""
        return await asyncio.wait_for(self.told.get(), 30)


@pytest_asyncio.fixture
async def editor() -> AsyncIterator[Editor]:
    """Start the server and introduce an editor."""
    made = Editor()

    def told(params: types.PublishDiagnosticsParams) -> None:
        made.told.put_nowait(params.diagnostics)

    made.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(told)
    await made.client.start_io(sys.executable, "-m", "aima", "lsp")
    await made.client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    made.client.initialized(types.InitializedParams())
    yield made
    await made.client.shutdown_async(None)
    made.client.exit(None)
    await made.client.stop()  # type: ignore[no-untyped-call] # pygls


def at(text: str, mark: str) -> types.Position:
    """Find the end of some words in a text."""
    before = text[: text.index(mark) + len(mark)]
    return types.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


async def words(editor: Editor, text: str, mark: str) -> list[str]:
    """Ask what could stand behind some words."""
    editor.show(text)
    where = types.TextDocumentIdentifier(URI)
    params = types.CompletionParams(where, at(text, mark))
    found = await editor.client.text_document_completion_async(params)
    assert isinstance(found, list)
    return [item.label for item in found]


async def test_mistakes_are_told_while_one_types(editor: Editor) -> None:
    """With the code, the place in the editor's own units, and the hint."""
    editor.show(TEXT.replace("name: édité", "name: edited"))
    assert not await editor.diagnostics()
    editor.show(
        TEXT.replace("name: édité", "name: e").replace("steps.draft.content", "steps.drft.x"),
    )
    [found] = await editor.diagnostics()
    assert found.code == "expression/unknown-step"
    assert "did you mean `draft`?" in found.message
    assert (found.range.start.line, found.range.start.character) == (9, 40)


async def test_units_steps_outputs_and_keys_are_completed(editor: Editor) -> None:
    """Also where the text is broken, as it is while one types."""
    assert "template.render" in await words(editor, TEXT, "type: template.")
    broken = TEXT.replace("${steps.draft.content}", "${steps.")
    assert await words(editor, broken, "${steps.") == ["draft", "letter"]
    deeper = TEXT.replace("${steps.draft.content}", "${steps.draft.")
    assert "content" in await words(editor, deeper, "${steps.draft.")
    assert "for_each" in await words(editor, TEXT + "  - id: x\n    for", "    for")
    assert "max_tokens" in await words(
        editor, TEXT.replace("      messages:", "      max\n      messages:"), "      max"
    )
    assert "finally" in await words(editor, TEXT + "fin", "\nfin")


async def test_what_a_word_means_and_where_it_comes_from(editor: Editor) -> None:
    """Hover and go to definition."""
    editor.show(TEXT)
    where = types.TextDocumentIdentifier(URI)
    hover = await editor.client.text_document_hover_async(
        types.HoverParams(where, at(TEXT, "type: inference.ch"))
    )
    assert hover is not None
    assert "Answer a conversation" in str(hover.contents)
    place = await editor.client.text_document_definition_async(
        types.DefinitionParams(where, at(TEXT, "${steps.dra"))
    )
    assert isinstance(place, types.Location)
    assert (place.range.start.line, place.range.start.character) == (3, 8)
