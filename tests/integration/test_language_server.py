"""`aima lsp`, driven over its protocol by the client of the library that speaks it."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

pytestmark = pytest.mark.asyncio(loop_scope="module")

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
    """An editor, the file it shows, and what it was told of each."""

    client: LanguageClient = field(default_factory=lambda: LanguageClient("test", "1"))
    told: defaultdict[str, asyncio.Queue[Sequence[types.Diagnostic]]] = field(
        default_factory=lambda: defaultdict(asyncio.Queue)
    )
    shown: int = 0
    uri: str = ""

    @property
    def here(self) -> types.TextDocumentIdentifier:
        """The file that is shown."""
        return types.TextDocumentIdentifier(self.uri)

    def show(self, text: str, uri: str = "file:///w.yaml") -> None:
        """Open a text, as another file each time."""
        self.shown += 1
        self.uri = uri.replace("w.yaml", f"w{self.shown}.yaml")
        item = types.TextDocumentItem(self.uri, "yaml", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    async def diagnostics(self) -> Sequence[types.Diagnostic]:
        """Wait for what is wrong."""
        return await asyncio.wait_for(self.told[self.uri].get(), 60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor() -> AsyncIterator[Editor]:
    """Start the server and introduce an editor."""
    made = Editor()

    def told(params: types.PublishDiagnosticsParams) -> None:
        made.told[params.uri].put_nowait(params.diagnostics)

    made.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(told)
    await made.client.start_io(sys.executable, "-m", "aima", "lsp")
    await made.client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    made.client.initialized(types.InitializedParams())
    yield made
    await made.client.shutdown_async(None)
    made.client.exit(None)
    await made.client.stop()  # type: ignore[no-untyped-call] # pygls


def at(text: str, mark: str) -> types.Position:
    """Find the end of some words in a text; columns are UTF-16 units, as in the protocol."""
    before = text[: text.index(mark) + len(mark)]
    here = before[before.rfind("\n") + 1 :]
    return types.Position(before.count("\n"), len(here.encode("utf-16-le")) // 2)


async def told_of(editor: Editor, text: str, mark: str) -> str:
    """Ask what the word at a place means."""
    editor.show(text)
    hover = await editor.client.text_document_hover_async(
        types.HoverParams(editor.here, at(text, mark))
    )
    return hover.contents.value if hover and isinstance(hover.contents, types.MarkupContent) else ""


async def leads_to(editor: Editor, text: str, mark: str) -> types.Location | None:
    """Ask where the word at a place is defined."""
    editor.show(text)
    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(editor.here, at(text, mark))
    )
    assert found is None or isinstance(found, types.Location)
    return found


async def words(editor: Editor, text: str, mark: str) -> list[str]:
    """Ask what could stand behind some words."""
    editor.show(text)
    params = types.CompletionParams(editor.here, at(text, mark))
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
    hover = await editor.client.text_document_hover_async(
        types.HoverParams(editor.here, at(TEXT, "type: inference.ch"))
    )
    assert hover is not None
    assert "Answer a conversation" in str(hover.contents)
    place = await editor.client.text_document_definition_async(
        types.DefinitionParams(editor.here, at(TEXT, "${steps.dra"))
    )
    assert isinstance(place, types.Location)
    assert (place.range.start.line, place.range.start.character) == (3, 8)


WIDE = """name: wide
config: {tone: kind}
steps:
  - id: draft
    type: inference.chat
    input: {messages: [{role: user, content: "😀 こんにちは ${config.tone} ${config.tnoe}"}]}
  - {id: last, depends_on: [draft], set: {x: "😀${steps.draft.content}"}}
"""


async def test_columns_are_those_of_the_protocol(editor: Editor) -> None:
    """An emoji is two of its units, and one character to the checker."""
    editor.show(WIDE)
    [found] = await editor.diagnostics()
    assert found.code == "expression/unknown-field"
    assert found.range.end == at(WIDE, "${config.tnoe")
    assert "content" in await words(editor, WIDE, "😀${steps.draft.")
    place = await leads_to(editor, WIDE, "こんにちは ${config.to")
    assert place is not None
    assert place.range.start == at(WIDE, "config: {")


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
async def test_other_line_ends_change_nothing(editor: Editor, ending: str) -> None:
    """Windows writes them."""
    text = TEXT.replace("édité", "edited").replace("steps.draft.content", "steps.drft")
    editor.show(text.replace("\n", ending))
    [found] = await editor.diagnostics()
    assert (found.range.start.line, found.range.start.character) == (9, 40)


async def test_a_text_that_was_never_saved_is_checked(editor: Editor) -> None:
    """It has no path."""
    editor.show("name: a\nsteps: [{id: a, wiat: 1s}]\n", "untitled:Untitled-1")
    assert "document/unknown-key" in {one.code for one in await editor.diagnostics()}


async def test_what_was_known_helps_while_the_text_is_broken(editor: Editor) -> None:
    """A quote that is not closed yet makes the whole file unreadable."""
    editor.show(TEXT)
    await editor.diagnostics()
    broken = TEXT.replace('body: "${steps.draft.content}"}}', 'body: "${steps.draft.')
    change = types.TextDocumentContentChangeWholeDocument(broken)
    version = types.VersionedTextDocumentIdentifier(2, editor.uri)
    editor.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [change]))
    assert [one.code for one in await editor.diagnostics()] == ["yaml/unclosed-quote"]
    params = types.CompletionParams(editor.here, at(broken, "${steps.draft."))
    found = await editor.client.text_document_completion_async(params)
    assert "content" in [item.label for item in found or ()]  # type: ignore[union-attr] # a list


async def test_keys_inside_constructs_and_their_values_are_completed(editor: Editor) -> None:
    """In blocks and in flow maps: what the schema knows."""
    retry = TEXT + "  - id: x\n    retry:\n      ma"
    assert {"max_attempts", "max_delay"} <= set(await words(editor, retry, "      ma"))
    flow = TEXT + "  - {id: x, wait_for: {signal: go, on_timeout: "
    assert await words(editor, flow, "on_timeout: ") == ["fail", "continue"]
    waits = TEXT + "  - {id: x, depends_on: [draft, "
    assert {"draft", "letter"} <= set(await words(editor, waits, "[draft, "))
    role = TEXT.replace("role: user", "role: ")
    assert "assistant" in await words(editor, role, "role: ")
    branch = TEXT + "  - id: x\n    switch:\n      - i"
    assert {"if", "steps", "else"} == set(await words(editor, branch, "      - i"))
    assert "voice-assistant" in await words(editor, TEXT + "  - {id: x, workflow: ", "workflow: ")


async def test_expressions_offer_roots_items_and_functions(editor: Editor) -> None:
    """Those that stand around the step, and no others."""
    loop = TEXT + '  - id: x\n    for_each: {in: "${[1]}", as: one}\n    set: {y: "${'
    offered = await words(editor, loop + '"}\n', '{y: "${')
    assert {"input", "steps", "run", "one", "one_index", "size", "has"} <= set(offered)
    text = TEXT.replace("${input.topic}", "${input.topic.}")
    assert "lowerAscii" in await words(editor, text, "${input.topic.")


async def test_keys_steps_and_functions_are_explained(editor: Editor) -> None:
    """With the words of the reference."""
    text = TEXT.replace("${input.topic}", "${size(input.topic)}") + "timeout: 10m\n"
    assert "entries of a map" in await told_of(editor, text, "${size")
    assert "Bounds the run" in await told_of(editor, text, "\ntimeo")
    assert "`content`: text" in await told_of(editor, text, "id: dra")
    assert "`messages`:" in await told_of(editor, text, "type: inference.chat")
    assert "list" in await told_of(editor, text, "      messag")


async def test_definitions_lead_to_inputs_workflows_and_code(editor: Editor) -> None:
    """A child is another file, and a unit is code."""
    place = await leads_to(editor, TEXT, "${input.topic")
    assert place is not None
    assert place.range.start == at(TEXT, "properties: {")
    unit = await leads_to(editor, TEXT, "type: inference.chat")
    assert unit is not None
    assert unit.uri.endswith("activities/inference.py")
    child = await leads_to(editor, TEXT + "  - {id: x, workflow: voice-assistant}\n", "voice-ass")
    assert child is not None
    assert child.uri.endswith("workflows/voice-assistant.yaml")


async def test_a_step_is_renamed_wherever_it_stands(editor: Editor) -> None:
    """In expressions, in `depends_on`, from either place; and never to what is no id."""
    editor.show(WIDE)
    params = types.ReferenceParams(types.ReferenceContext(True), editor.here, at(WIDE, "- id: dr"))
    found = await editor.client.text_document_references_async(params)
    assert [place.range.start.line for place in found or ()] == [3, 6, 6]
    edit = await editor.client.text_document_rename_async(
        types.RenameParams(editor.here, at(WIDE, "😀${steps.dr"), "first-draft")
    )
    assert edit is not None
    changes = (edit.changes or {})[editor.uri]
    last = at(WIDE, "😀${steps.")
    assert types.Range(last, types.Position(last.line, last.character + 5)) in [
        change.range for change in changes
    ]
    with pytest.raises(JsonRpcException, match="there is a step 'last' already"):
        await editor.client.text_document_rename_async(
            types.RenameParams(editor.here, at(WIDE, "- id: dr"), "last")
        )


async def test_a_hint_is_taken_with_one_key(editor: Editor) -> None:
    """The nearest right word takes the place of the wrong one, and of nothing else."""
    text = TEXT.replace("édité", "edited").replace("steps.draft.content", "steps.drft.content")
    editor.show(text)
    found = list(await editor.diagnostics())
    actions = await editor.client.text_document_code_action_async(
        types.CodeActionParams(editor.here, found[0].range, types.CodeActionContext(found))
    )
    [action] = actions or ()
    assert isinstance(action, types.CodeAction)
    assert action.edit is not None
    [change] = (action.edit.changes or {})[editor.uri]
    assert isinstance(change, types.TextEdit)
    assert change.new_text == "draft"
    assert change.range.start == at(text, "${steps.")
    assert change.range.end == at(text, "${steps.drft")


async def test_the_outline_shows_steps_inside_steps(editor: Editor) -> None:
    """A file of a thousand lines is walked by it."""
    text = TEXT + "  - id: outer\n    steps: [{id: inner, wait: 1s}]\n"
    editor.show(text)
    found = await editor.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(editor.here)
    )
    symbols = [one for one in found or () if isinstance(one, types.DocumentSymbol)]
    assert [one.name for one in symbols] == ["draft", "letter", "outer"]
    assert [one.name for one in symbols[2].children or ()] == ["inner"]
