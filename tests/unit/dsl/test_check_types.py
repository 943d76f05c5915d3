"""Types as far as the checker follows them: into lists, maps, alternatives and other workflows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr

from aima.catalog import catalog_of
from aima.gateway.workflows.definitions import Definitions
from aima.unit import Context, Domain


class Texts(BaseModel):
    """Texts to embed."""

    input: list[str] = Field(min_length=1)


class Vectors(BaseModel):
    """A vector for each text."""

    embeddings: list[list[float]]


class Words(BaseModel):
    """Part of a message: text."""

    type: str = Field(json_schema_extra={"const": "text"})
    text: str


class Picture(BaseModel):
    """Part of a message: an image."""

    type: str = Field(json_schema_extra={"const": "image"})
    width: int


class Message(BaseModel):
    """A message with a key to whoever shall get it."""

    text: str = ""
    content: str | list[Words | Picture] = ""
    names: list[str] = []
    spans: list[Picture] = []
    token: SecretStr | None = None


def stand_ins() -> Definitions:
    """Check against an `inference.embed` and a `message.send` that are not there yet."""
    inference, message = Domain("inference"), Domain("message")

    @inference.query()
    async def embed(request: Texts, ctx: Context) -> Vectors:
        """Embed texts."""
        raise NotImplementedError

    @message.command(idempotent=False)
    async def send(request: Message, ctx: Context) -> Message:
        """Send a message."""
        raise NotImplementedError

    return Definitions(catalog_of(inference, message))


DEFINITIONS = stand_ins()
HEAD = """\
name: w
secrets: {key: env:KEY}
steps:
  - {id: embed, type: inference.embed, input: {input: [Hello]}}
"""


def told(send: str, head: str = HEAD) -> list[tuple[str, str]]:
    """Check a message that is sent; give the code and the message of each finding, as it starts."""
    text = f"{head}  - id: send\n    type: message.send\n    input: {send}\n"
    return [(d.code, d.message) for d in DEFINITIONS.check(text, "w.yaml").diagnostics]


@pytest.mark.parametrize(
    ("send", "message"),
    [
        ("{text: '${steps.embed.embeddings}'}", "this is a list, and text is wanted"),
        (
            "{names: '${steps.embed.embeddings}'}",
            "an item of this is a list, and text is wanted",
        ),
        (
            "{names: '${steps.embed.embeddings[0]}'}",
            None,  # an index: which of the items it is, only the run knows
        ),
        ("{names: '${[1, 2]}'}", None),
        ("{spans: ['${steps.embed}']}", "this has no `type`, which is wanted"),
        ("{spans: '${steps.embed.embeddings}'}", "an item of this is a list, and a map is wanted"),
    ],
)
def test_what_a_step_gives_is_followed_into_lists_and_maps(send: str, message: str | None) -> None:
    """Embeddings handed on as text would fail after the model has worked for minutes."""
    assert told(send) == ([("value/type-mismatch", message)] if message else [])


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        ("{content: [{type: text, text: x}, {type: image, width: wide}]}", "type-mismatch", 67),
        ("{content: [{type: image, width: '${run.id}'}]}", "type-mismatch", 44),
        ("{content: [{type: image, wdth: 5}]}", "missing-field", 23),
        ("{content: 5}", "type-mismatch", 22),
    ],
)
def test_of_several_alternatives_the_one_that_is_meant_counts(
    content: str, code: str, place: int
) -> None:
    """`is not valid under any of the given schemas` sends the author searching."""
    text = f"{HEAD}  - id: send\n    type: message.send\n    input: {content}\n"
    found = DEFINITIONS.check(text, "w.yaml").diagnostics[0]
    assert (found.code, found.line, found.column) == (f"value/{code}", 7, place)


@pytest.mark.parametrize(
    ("send", "codes"),
    [
        ("{token: '${secrets.key}'}", []),
        ("{token: 'Bearer ${secrets.key}'}", []),
        ("{token: '${secrets}'}", ["expression/secret", "value/type-mismatch"]),
        ("{token: '${secrets.key + secrets.key}'}", ["expression/secret"]),
        ("{token: '${secrets.kye}'}", ["expression/unknown-field"]),
        ("{text: '${secrets.key}'}", ["expression/secret"]),
        ("{names: ['${secrets.key}']}", ["expression/secret"]),
    ],
)
def test_a_secret_goes_where_one_is_taken_and_nowhere_else(send: str, codes: list[str]) -> None:
    """What stands in a history is read by everybody who may see runs."""
    assert sorted({code for code, _ in told(send)}) == codes


@pytest.mark.parametrize(
    "use",
    [
        "{id: x, set: {k: '${secrets.key}'}}",
        "{id: x, if: '${secrets.key == run.id}', set: {k: 1}}",
        "{id: x, emit: {type: a.b, data: '${secrets.key}'}}",
        "{id: x, raise: {code: A, message: '${secrets.key}'}}",
        "{id: x, return: '${secrets.key}'}",
        "{id: x, wait_for: {approval: {message: '${secrets.key}'}}}",
        "{id: x, type: inference.embed, input: {input: [a]}, queue: '${secrets.key}'}",
        "{id: x, type: inference.embed, input: {input: [a]}, cache: {key: '${secrets.key}'}}",
        "{id: x, for_each: {in: ['${secrets.key}']}, set: {k: 1}}",
        "{id: x, workflow: ./child.yaml, input: {token: '${secrets.key}'}}",
    ],
)
def test_a_secret_never_reaches_the_history(use: str, tmp_path: Path) -> None:
    """Not by a way that seems to lead elsewhere, such as a child that wants one."""
    (tmp_path / "child.yaml").write_text(
        "name: child\ninputs: {type: object, properties: {token: {type: string, writeOnly: true,"
        " default: x}}}\nsteps: [{id: a, set: {n: '${size(input.token)}'}}]\n"
    )
    found = DEFINITIONS.check(f"{HEAD}  - {use}\n", str(tmp_path / "w.yaml")).diagnostics
    assert [d.code for d in found] == ["expression/secret"]


@pytest.mark.parametrize(
    ("where", "warned"),
    [
        ("retry: {max_attempts: 3}", True),
        ("retry: {max_attempts: 1}", False),
        ("timeout: 1m", False),
    ],
)
def test_trying_again_what_must_not_be_is_warned_of(where: str, *, warned: bool) -> None:
    """Also where `defaults` say it, which nobody reads when a step is added."""
    expected = ["retry/not-idempotent"] if warned else []
    step = "steps: [{id: a, type: message.send"
    for text in (f"{step}, {where}}}]", f"defaults: {{{where}}}\n{step}}}]"):
        found = DEFINITIONS.check(f"name: w\n{text}\n", "w.yaml").diagnostics
        assert [d.code for d in found] == expected


def test_children_of_children_are_read_once(tmp_path: Path) -> None:
    """Each of twelve runs the next one three times: half a million, if they were not."""
    for number in range(12):
        steps = "".join(
            f"  - {{id: s{n}, workflow: ./w{number + 1}.yaml, input: {{}}}}\n" for n in range(3)
        )
        (tmp_path / f"w{number}.yaml").write_text(f"name: w{number}\nsteps:\n{steps}")
    (tmp_path / "w12.yaml").write_text("name: w12\nsteps: [{id: a, set: {x: 1}}]\n")
    top = tmp_path / "w0.yaml"
    found = DEFINITIONS.check(top.read_bytes(), str(top)).diagnostics
    assert [d.code for d in found][:1] == ["workflow/unknown"]
    assert "too large" in found[0].message
