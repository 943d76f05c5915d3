from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.load import Source, load
from aima.dsl.node import Mapping, Mark, Node, Scalar, Sequence

LETTERS = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cs"),
    exclude_characters="\u2028\u2029\ufeff\uffff\ufffe",
)
TEXTS = st.text(LETTERS | st.sampled_from("  \n\t'\"\\$é漢😀"), max_size=60)


def scalar_in(text: str) -> tuple[Source, Scalar]:
    """Load a clean text and give the scalar at its first key, or last in its list."""
    source, root, diagnostics = load(text, "w.yaml")
    assert diagnostics == []
    node: Node | None = root
    while not isinstance(node, Scalar):
        if isinstance(node, Mapping):
            node = next(iter(node.entries.values())).value
        else:
            assert isinstance(node, Sequence)
            node = node.items[-1]
    return source, node


def marked(text: str, needle: str) -> Mark:
    """Locate a word of the value."""
    _, scalar = scalar_in(text)
    assert isinstance(scalar.value, str)
    return scalar.locate(scalar.value.index(needle))


def char_at(source: Source, mark: Mark) -> str:
    """Give what stands at a place; a line break where the line has ended."""
    line = source.line(mark.line)
    return line[mark.column - 1] if mark.column <= len(line) else "\n"


def assert_each_character_is_found(text: str, *, escapes: bool = False) -> Scalar:
    """Every character of the value stands where it is said to, folded breaks aside."""
    source, scalar = scalar_in(text)
    assert isinstance(scalar.value, str)
    before = scalar.mark
    for offset, char in enumerate(scalar.value):
        mark = scalar.locate(offset)
        found = char_at(source, mark)
        assert before <= mark
        before = mark
        if found == "\\" and escapes:
            continue
        assert found == char or (found == "\n" and char == " "), (offset, mark)
    assert before <= scalar.locate(len(scalar.value)) <= scalar.end
    return scalar


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: say HERE\n", Mark(1, 8)),
        ("a: 'say HERE'\n", Mark(1, 9)),
        ("a: 'it''s HERE'\n", Mark(1, 11)),
        ('a: "say HERE"\n', Mark(1, 9)),
        ('a: "\\t\\x41\\u00e9\\U0001F600 HERE"\n', Mark(1, 28)),
        ('a: "\\N\\_\\"HERE"\n', Mark(1, 11)),
        ("a: |\n  x\n  HERE\n", Mark(3, 3)),
        ("a: |2\n    x\n   HERE\n", Mark(3, 4)),
        ("a: |-   # why\n\n\n    x\n\n    HERE\n\n", Mark(6, 5)),
        ("a:\n  - |+\n   x\n    HERE\n\n", Mark(4, 5)),
        ("a: >\n  x\n  HERE\n", Mark(3, 3)),
        ("a: >-\n  x\n\n\n  y\n    more\n  HERE\n", Mark(7, 3)),
        ("a: x\n  y\n\n  HERE\n", Mark(4, 3)),
        ("a: 'x\n\n\n  y  \n  HERE'\n", Mark(5, 3)),
        ('a: "x\\\n   y\\n\\\n\n  \\  HERE"\n', Mark(4, 6)),
        ("a: &b !!str  'HERE'\n", Mark(1, 15)),
        ("a: &b !!str |  # c\n  HERE\n", Mark(2, 3)),
        ("a: &b # c\n\n  HERE\n", Mark(3, 3)),
        ("- x\n- |\n \n  HERE\n", Mark(4, 3)),
    ],
)
def test_a_word_is_found_in_every_style(text: str, place: Mark) -> None:
    """The caret of an expression error stands on this."""
    assert marked(text, "HERE") == place


def test_the_end_of_a_value_is_behind_its_last_character() -> None:
    """An expression that ends too early is told at its end."""
    for text, end in [
        ("a: xyz", Mark(1, 7)),
        ("a: 'xyz'", Mark(1, 8)),
        ("a: |-\n xyz", Mark(2, 5)),
    ]:
        _, scalar = scalar_in(text)
        assert scalar.locate(3) == end
        assert scalar.locate(99) == end
        assert scalar.locate(-1) == scalar.locate(0)


def test_a_value_that_is_not_text_or_was_made_by_hand_is_located_as_a_whole() -> None:
    """A node without a file behind it must not break a message."""
    _, number = scalar_in("a: 123\n")
    assert number.locate(2) == Mark(1, 4)
    assert Scalar("text", Mark(5, 2), Mark(5, 6)).locate(3) == Mark(5, 2)
    assert scalar_in("a: ''\n")[1].locate(0) == Mark(1, 5)


@pytest.mark.parametrize("style", ["'", '"', "|", ">"])
@pytest.mark.parametrize("width", [20, 10_000])
@pytest.mark.parametrize("nested", [False, True])
@given(value=TEXTS, indent=st.integers(2, 9))
@settings(deadline=None)
def test_every_character_of_any_text_is_found(
    value: str, indent: int, *, style: str, width: int, nested: bool
) -> None:
    """Whatever PyYAML writes, a place in the value is the place in the file."""
    data = {"key": ["first", {"inner": value}] if nested else value}
    text = yaml.dump(data, default_style=style, width=width, indent=indent, allow_unicode=True)
    scalar = assert_each_character_is_found(text, escapes=True)
    assert scalar.value == value


@given(
    lines=st.lists(st.text(st.sampled_from("ab  $é漢"), max_size=8), max_size=8),
    indent=st.integers(1, 4),
    chomping=st.sampled_from(["", "-", "+"]),
    sign=st.sampled_from("|>"),
    end=st.sampled_from(["", "\n", "\n\n", "\nb: next\n", "\n\n  \nb: next\n"]),
)
@settings(deadline=None)
def test_every_character_of_any_block_is_found(
    lines: list[str], indent: int, chomping: str, sign: str, end: str
) -> None:
    """Hands write blocks that no dumper writes: ragged, padded, with stated indentation."""
    body = "\n".join(" " * indent + line for line in lines)
    text = f"a: {sign}{indent}{chomping}\n{body}{end}"
    source, root, diagnostics = load(text, "w.yaml")
    if diagnostics:  # a text line less indented than the block ends it
        return
    assert isinstance(root, Mapping)
    scalar = root.get("a")
    assert isinstance(scalar, Scalar)
    assert isinstance(scalar.value, str)
    for offset, char in enumerate(scalar.value):
        found = char_at(source, scalar.locate(offset))
        assert found == char or (sign == ">" and found == "\n" and char == " "), offset


@given(words=st.lists(st.text(st.sampled_from("ab$é漢"), min_size=1, max_size=5), min_size=1))
@settings(deadline=None)
def test_every_character_of_a_plain_text_over_lines_is_found(words: list[str]) -> None:
    """Long plain descriptions are wrapped by hand."""
    assert_each_character_is_found("a: " + "\n    ".join(f"x{word} y" for word in words) + "\n")
