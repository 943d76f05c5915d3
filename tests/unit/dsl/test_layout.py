"""The usual layout: what it does, and that it never changes what a file says."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.layout import formatted, reads_the_same
from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.dsl.yaml_parts import comments
from aima.shipped import shipped

REPOSITORY = Path(__file__).parents[3]
FILES = sorted(
    {
        *shipped("workflows").rglob("*.y*ml"),
        *(REPOSITORY / "tests").rglob("*.y*ml"),
        *(REPOSITORY / "docs").rglob("*.y*ml"),
    }
)

SHIPPED = [
    file
    for file in sorted(shipped("workflows").glob("*.yaml"))
    if not file.name.endswith(".test.yaml")
]


def fmt(text: str) -> str:
    """Format a text and check what holds for every text."""
    after = formatted(text, "x.yaml")
    assert after is not None
    assert values(after) == values(text)
    assert comments(after) == comments(text)
    assert formatted(after, "x.yaml") == after
    return after


def values(text: str) -> str:
    """Give what a text says, types and all."""
    _, root, found = load(text, "x.yaml")
    assert root is not None
    assert not found
    return json.dumps(to_json(root), sort_keys=True)


def laid_out(before: str, after: str) -> None:
    """Expect a layout."""
    assert fmt(dedent(before)) == dedent(after)


def test_blocks_are_indented_by_two() -> None:
    """Lists below their key too; what belongs to a line moves with it."""
    laid_out(
        """\
        name: x
        steps:
        - id: a
          type: made.up
          input:
                text: |
                    one
                      two

                    three
                words: [a,
                        b]
                said: "c
                  d"
        # about b
        - id: b   # kind
          type: made.up
              # odd
        """,
        """\
        name: x

        steps:
          - id: a
            type: made.up
            input:
              text: |
                  one
                    two

                  three
              words: [a,
                      b]
              said: "c
                d"

          # about b
          - id: b   # kind
            type: made.up
            # odd
        """,
    )


def test_a_text_with_an_indentation_of_its_own_keeps_its_blanks() -> None:
    """The number after `|` counts from the key."""
    text = "name: x\nsteps:\n- id: a\n  input:\n     t: |2\n          two\n         one\n"
    assert "      t: |2\n           two\n          one\n" in fmt(text)


def test_the_keys_of_a_step_come_in_the_usual_order() -> None:
    """Who it is, what it does, with what; then how."""
    laid_out(
        """\
        name: x
        steps:
          - retry: {max_attempts: 2}
            input:
              a: 1
            if: ${true}
            type: made.up
            description: d
            id: a
        """,
        """\
        name: x

        steps:
          - id: a
            description: d
            type: made.up
            input:
              a: 1
            retry: {max_attempts: 2}
            if: ${true}
        """,
    )


@pytest.mark.parametrize(
    "step",
    [
        "  - type: a\n    # why\n    id: b\n",
        "  - type: a # why\n    id: b\n",
        "  - type: a\n\n    id: b\n",
        "  - type: &t a\n    id: b\n",
        "  - if: true\n    steps:\n      - id: c\n    id: b\n",
        "  - {type: a, id: b}\n",
    ],
)
def test_a_step_whose_order_may_be_meant_keeps_it(step: str) -> None:
    """A comment speaks of the line below; an anchor must come before its alias."""
    text = f"name: x\n\nsteps:\n{step}"
    assert fmt(text) == text


def test_only_steps_are_ordered() -> None:
    """In data the order of keys is the author's: embedded in text it is seen."""
    text = "name: x\n\noutput:\n  - type: a\n    id: b\n"
    assert fmt(text) == text


def test_inner_steps_are_ordered_too() -> None:
    """In blocks, branches and handlers."""
    inner = "- type: made.up\n  id: {}\n"
    nested = {
        "steps:\n" + inner.format("a"),
        "switch:\n- if: true\n  steps:\n  - type: made.up\n    id: a\n- else:\n  - id: b\n",
        "catch:\n- steps:\n  - type: made.up\n    id: a\n",
        "race:\n- steps:\n  - type: made.up\n    id: a\n",
        "finally:\n" + inner.format("a"),
    }
    for body in nested:
        text = "name: x\nsteps:\n  - id: s\n" + "".join(
            f"    {line}\n" for line in body.splitlines()
        )
        assert "- id: a\n" in fmt(text)
        assert "- type" not in fmt(text)


def test_what_takes_several_lines_stands_apart() -> None:
    """One blank line around it; short keys may stand together."""
    laid_out(
        """\


        name: x
        version: 1.0.0



        config: {a: 1}
        steps:
          - id: a
            type: made.up
          # about b
          - id: b
            type: made.up


          - {id: c, type: made.up}
          - {id: d, type: made.up}
        output: {a: 1}


        """,
        """\
        name: x
        version: 1.0.0

        config: {a: 1}

        steps:
          - id: a
            type: made.up

          # about b
          - id: b
            type: made.up

          - {id: c, type: made.up}
          - {id: d, type: made.up}

        output: {a: 1}
        """,
    )


def test_blanks_at_the_end_of_lines_go() -> None:
    """Except where they are text."""
    assert fmt("name: x  \nsteps: []\t\n  \n") == "name: x\nsteps: []\n"
    text = "name: x\n\nconfig:\n  a: |\n    one  \n      \n    two\n"
    assert fmt(text) == text


def test_a_text_that_keeps_its_last_lines_keeps_them() -> None:
    """`|+` makes the blank lines at the end of a file part of a text."""
    text = "name: x\nconfig:\n    a: |+\n        one\n\n\n"
    assert values(fmt(text)) == values(text)


@pytest.mark.parametrize("text", ["", "name: [\n", "a: 1\na: 2\n", "a: *b\n"])
def test_what_cannot_be_read_is_not_formatted(text: str) -> None:
    """Mending a file is the author's."""
    assert formatted(text, "x.yaml") is None


@pytest.mark.parametrize(
    "text",
    [
        "? a\n: 1\n",
        "-\n  a: 1\n",
        "- - a\n  - b\n",
        "--- # c\na: 1\n...\n",
        "%YAML 1.2\n---\na: 1\n",
        "{a: 1,\n b: [2,\n 3]}\n",
        "just text\n",
        "a: &x\n    b: 1\nc:\n    <<: *x\n",
        "a:\n  - &y\n    b: 1\n",
        "a: !!str\n    1\n",
        "'a b':\n      c: 1\n",
        "a:\n\n\n\n  b: 1\n",
        "a: 'x\n\n  y # no comment'\n",
        "a: |  # says\n   # no comment\n # one\nb: 2\n",
        "a: x#y # z\n",
        "a:\n    # first\n    b: 1\n    # last\n",
        "a: >-\n    one\n    two\n\n\n# end\n",
        "a:\n- # c\n  b: 1\n",
        "a: b\n# \t\n",
        "a: {x: 1 # c\n  }\n",
    ],
)
def test_unusual_yaml_still_says_the_same(text: str) -> None:
    """The layout may stay odd, the meaning must stay."""
    fmt(text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_file_of_the_repository_says_the_same(file: Path) -> None:
    """Real files, mistakes among them."""
    text = file.read_bytes().decode(errors="replace")
    if formatted(text, "x.yaml") is not None:
        fmt(text)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_a_shipped_workflow_is_laid_out_already(file: Path) -> None:
    """People take them as an example."""
    text = file.read_text("utf-8")
    assert fmt(text) == text


@pytest.mark.parametrize(
    ("some", "other"),
    [("a: 1", "a: 1.0"), ("a: 1", "a: true"), ("a: b", "a: b # c"), ("a: 1", "a: ["),
     ("a: 1 # x\nb: 2 # y", "a: 1 # y\nb: 2 # x")],
)  # fmt: skip
def test_texts_that_differ_are_told_apart(some: str, other: str) -> None:
    """The guard of everything above must itself be able to say no."""
    assert reads_the_same(some, some)
    assert not reads_the_same(some, other)


WORDS = st.text("ab#:-'\"|>{}[]&*!%@ \n\té", max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 1e9]) | WORDS
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("made.up")},
        optional={"input": DATA, "id": st.just("a"), "retry": DATA, "if": SCALARS},
    ),
    max_size=3,
)
DOCUMENTS = st.fixed_dictionaries({"name": WORDS, "steps": STEPS}, optional={"config": DATA})


@st.composite
def written(draw: st.DrawFn) -> str:
    """Write a document in some style, with comments and blanks put in where they do no harm."""
    text: str = yaml.safe_dump(
        draw(DOCUMENTS),
        indent=draw(st.integers(2, 6)),
        width=draw(st.sampled_from([20, 80])),
        default_style=draw(st.sampled_from([None, '"', "|", ">", "'"])),
        default_flow_style=draw(st.sampled_from([None, False])),
        sort_keys=draw(st.booleans()),
        allow_unicode=True,
    )
    for _ in range(draw(st.integers(0, 4))):
        lines = text.split("\n")
        at = draw(st.integers(0, len(lines)))
        blank = " " * draw(st.integers(0, 8))
        lines.insert(at, blank + draw(st.sampled_from(["", "# one", "# two: 'x", "#"])))
        if values_or_none("\n".join(lines)) == values_or_none(text):
            text = "\n".join(lines)
    return text


def values_or_none(text: str) -> str | None:
    """Give what a text says; None where it cannot be read."""
    _, root, found = load(text, "x.yaml")
    return None if found or root is None else json.dumps(to_json(root))


@settings(max_examples=400, deadline=None)
@given(written())
def test_whatever_is_written_says_the_same_afterwards(text: str) -> None:
    """The promise of the command: values, types, comments; and a second time changes nothing."""
    if formatted(text, "x.yaml") is not None:
        fmt(text)
