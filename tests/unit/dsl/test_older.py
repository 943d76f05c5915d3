"""Turning older pipeline files into today's style."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from aima.catalog import discover
from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.dsl.older import Change, import_older
from aima.dsl.yaml_parts import comments
from aima.gateway.workflows.definitions import Definitions

OLDER = sorted((Path(__file__).parents[2] / "data" / "older").glob("*.yaml"))

HEAD = "name: x\nsteps:\n"


def imported(text: str) -> str:
    """Import a text and check what holds for every import."""
    text = dedent(text)
    after, changes = import_older(text, "x.yaml")
    assert bool(changes) == (after != text)
    assert import_older(after, "x.yaml") == (after, [])
    assert not load(after, "x.yaml")[2]
    assert sorted(comments(after)) == sorted(comments(text))
    return after


def steps(text: str) -> str:
    """Import steps; give them back without the rest."""
    return imported(HEAD + text).removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("retry:\n      delay_seconds: 2", "retry:\n      delay: 2s\n      backoff: 1"),
        (
            "retry:\n      delay_seconds: 2 # why\n      max_attempts: 3",
            "retry:\n      delay: 2s # why\n      backoff: 1\n      max_attempts: 3",
        ),
        ("retry: {delay_seconds: 0}", "retry: {delay: 0s, backoff: 1}"),
        ("retry: {delay_seconds: 1.5}", "retry: {delay: 1500ms, backoff: 1}"),
        ("retry: {delay_seconds: 2, backoff: 3}", "retry: {delay: 2s, backoff: 3}"),
        ("retry: &r {delay_seconds: 2}", "retry: &r {delay: 2s, backoff: 1}"),
        ("retry: {delay: 2s}", "retry: {delay: 2s}"),
        ("retry: {delay: 2s, delay_seconds: 2}", "retry: {delay: 2s, delay_seconds: 2}"),
        ("retry: {delay_seconds: '${config.s}'}", "retry: {delay_seconds: '${config.s}'}"),
        ("retry: {delay_seconds: -1}", "retry: {delay_seconds: -1}"),
        ("retry: soon", "retry: soon"),
    ],
)
def test_a_delay_in_seconds_becomes_a_duration(before: str, after: str) -> None:
    """The older delay never grew, so `backoff: 1` belongs to it; what cannot be known stays."""
    assert steps(f"  - id: a\n    {before}\n") == f"  - id: a\n    {after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  - id: a\n    on_failure: retry\n    type: b\n", "  - id: a\n    type: b\n"),
        ("  - id: a\n    on_failure: abort\n", "  - id: a\n"),
        ("  - id: a\n    on_failure: abort", "  - id: a\n"),
        ("  - id: a\n    on_failure: 'abort' # why\n", "  - id: a\n    # why\n"),
        ("  - {id: a, on_failure: abort, type: b}\n", "  - {id: a, type: b}\n"),
        ("  - {on_failure: abort, id: a}\n", "  - {id: a}\n"),
        ("  - {on_failure: abort}\n", "  - {}\n"),
        ("  - id: a\n    on_failure: continue\n", "  - id: a\n    on_failure: continue\n"),
        ("  - on_failure: abort\n    id: a\n", "  - on_failure: abort\n    id: a\n"),
        ("  - id: a\n    on_failure: &f abort\n", "  - id: a\n    on_failure: &f abort\n"),
        ("  - {id: a, on_failure:\n   abort}\n", "  - {id: a, on_failure:\n   abort}\n"),
    ],
)  # fmt: skip
def test_the_default_for_failures_is_not_said(before: str, after: str) -> None:
    """`retry` and `abort` were spellings of what happens anyway; odd layouts are left alone."""
    assert steps(before) == after


READS = '    input: {t: "${steps.x.text} ${steps.y-1.text}"}\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    depends_on:\n      - x\n      - y-1\n", ""),
        ("    depends_on: [x]\n", ""),
        ("    depends_on:\n      - x\n      - z\n", "    depends_on:\n      - z\n"),
        (
            "    depends_on:\n      - x # first\n      # last\n      - z\n",
            "    depends_on:\n      # first\n      # last\n      - z\n",
        ),
        ("    depends_on: # all\n      - x # one\n", "    # all\n    # one\n"),
        ("    depends_on: [z, x, 'w']\n", "    depends_on: [z, 'w']\n"),
        ("    depends_on: [z]\n", "    depends_on: [z]\n"),
        ("    depends_on: []\n", "    depends_on: []\n"),
        ("    depends_on: x\n", "    depends_on: x\n"),
        ("    depends_on: [&z z, x]\n", "    depends_on: [&z z, x]\n"),
        ("    depends_on: [z, # why\n      x]\n", "    depends_on: [z, # why\n      x]\n"),
    ],
)
def test_an_edge_that_a_read_makes_is_not_said_twice(before: str, after: str) -> None:
    """What is left in `depends_on` then means something."""
    others = "".join(f"  - {{id: {name}, type: made.up}}\n" for name in ("x", "y-1", "z", "w"))
    step = "  - id: a\n" + READS
    assert steps(others + step + before) == others + step + after


def test_a_read_of_another_step_makes_no_edge_here() -> None:
    """Only what the step itself reads."""
    text = "  - id: x\n  - id: y\n    input: {t: '${steps.x.t}'}\n  - id: z\n    depends_on: [x]\n"
    assert steps(text) == text


def test_the_older_search_becomes_today_s() -> None:
    """Its type, its key, and the one vector of an embedded query."""
    before = """\
          - id: e
            type: inference.embed
          - id: s
            type: "resource.search_vectors"
            input:
              vector: "${steps.e.embeddings}"  # of the query
        """
    assert imported(HEAD + dedent(before)) == HEAD + dedent(
        """\
          - id: e
            type: inference.embed
          - id: s
            type: retrieval.search
            input:
              query_embedding: "${steps.e.embedding}"  # of the query
        """
    )


@pytest.mark.parametrize(
    "step",
    [
        "{id: s, type: retrieval.search, input: {query_embedding: '${steps.o.embeddings}'}}",
        "{id: s, type: retrieval.search, input: {query_embedding: '${steps.e.embeddings[1]}'}}",
        "{id: s, type: made.up, input: {query_embedding: '${steps.e.embeddings}'}}",
        "{id: s, type: retrieval.search, input: {vector: 5}}",
        "{id: s, type: retrieval.search, input: none}",
    ],
)
def test_another_use_of_embeddings_stays(step: str) -> None:
    """Many vectors are many vectors."""
    text = f"  - {{id: e, type: inference.embed}}\n  - {{id: o, type: made.up}}\n  - {step}\n"
    assert steps(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"${steps.c.response.content}"', '"${steps.c.content}"'),
        ("${steps.c.response.content}", "${steps.c.content}"),
        (
            "'it''s: ${steps.c.response.content}, ${steps.c.response.content}'",
            "'it''s: ${steps.c.content}, ${steps.c.content}'",
        ),
        (
            '"a\\tb \\u00e9 ${size(steps.c.response.content)}"',
            '"a\\tb \\u00e9 ${size(steps.c.content)}"',
        ),
        (
            "|\n    One\n    ${steps.c.response.content}\n",
            "|\n    One\n    ${steps.c.content}\n",
        ),
        ("${has(steps.c.response.content)}", "${has(steps.c.content)}"),
        ("${steps.c.response}", "${steps.c.response}"),
        ("${steps.other.response.content}", "${steps.other.response.content}"),
        ("$${steps.c.response.content}", "$${steps.c.response.content}"),
        ("steps.c.response.content", "steps.c.response.content"),
        ('${steps["c"].response["content"]}', '${steps["c"].response["content"]}'),
        ("${steps.c.response.content", "${steps.c.response.content"),
    ],
)
def test_the_answer_of_a_chat_is_its_content(before: str, after: str) -> None:
    """Wherever it is read, and nowhere else."""
    chat = "  - {id: c, type: inference.chat}\n  - {id: other, type: made.up}\n"
    text = f"{HEAD}{chat}output:\n  a: {before}\n"
    assert imported(text) == f"{HEAD}{chat}output:\n  a: {after}\n"


def test_what_is_read_of_the_input_is_declared() -> None:
    """Above the first key of the body, and below a comment that belongs to the file."""
    before = """\
        # About the file.
        name: x
        description: y

        # What can be set.
        config: {a: 1}
        steps:
          - id: s
            type: made.up
            input:
              b: ${input.b}
              c: "${has(input.c) ? input.c : ''}"
              d: ${input.?d.orValue(1)}
              e: ${input.b} ${input.e.f}
              g: ${input["two words"]}
        """
    block = """\
        inputs:
          type: object
          required: [b, e, "two words"]
          properties:
            b: {}
            c: {}
            d: {}
            e: {}
            "two words": {}

        """
    before, block = dedent(before), dedent(block)
    assert imported(before) == before.replace("# What", block + "# What")


@pytest.mark.parametrize(
    "text",
    [
        "name: x\nsteps: [{id: a, type: b, input: '${input}'}]\n",
        "name: x\nsteps: [{id: a, type: b, input: {c: '${input[config.k]}'}}]\n",
        "name: x\ninputs: {}\nsteps: [{id: a, type: b, input: {c: '${input.c}'}}]\n",
        "name: x\nsteps: [{id: a, type: b, input: {c: 1}}]\n",
        "{name: x, steps: [{id: a, type: b, input: {c: '${input.c}'}}]}\n",
    ],
)
def test_inputs_that_cannot_be_known_are_not_declared(text: str) -> None:
    """A declaration closes the input; a wrong one would refuse runs."""
    assert imported(text) == text


def test_every_change_names_its_line_in_the_older_file() -> None:
    """The author looks there to see whether it was meant."""
    text = HEAD + "  - id: a\n    type: b\n    retry: {delay_seconds: 1}\n    on_failure: retry\n"
    assert import_older(text, "x")[1] == [
        Change(5, "`delay_seconds` is `delay` with `backoff: 1`"),
        Change(6, "`on_failure: retry` is the default: removed"),
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "name: [\n", "name: x\nname: y\n", "5", "steps: 5\n",
                                  "steps: [5, {id: 5}]\n"])  # fmt: skip
def test_what_is_no_pipeline_stays_as_it_is(text: str) -> None:
    """The checker tells what is wrong with it."""
    assert import_older(text, "x") == (text, [])


def test_shared_parts_are_changed_once() -> None:
    """An anchor's text stands once in the file, however many steps use it."""
    text = """\
        name: x
        steps:
          - id: a
            type: made.up
            retry: &slow {delay_seconds: 5}
          - id: b
            type: made.up
            retry: *slow
        """
    assert imported(text) == dedent(text).replace("delay_seconds: 5", "delay: 5s, backoff: 1")


@pytest.mark.parametrize("file", OLDER, ids=lambda file: file.stem)
def test_an_imported_file_has_no_new_mistakes(file: Path) -> None:
    """And no old spelling is left in it."""
    text = file.read_text("utf-8")
    after = imported(text)
    definitions = Definitions(discover())
    told = [{d.code for d in definitions.check(t, "x").diagnostics} for t in (text, after)]
    assert told[1] <= told[0]
    assert not any(old in after for old in ("delay_seconds", "response.content", "search_vectors"))
    _, root, _ = load(after, "x")
    assert root is not None
    values = to_json(root)
    assert isinstance(values, dict)
    assert "inputs" in values
