from __future__ import annotations

import time

import pytest
import yaml

from aima.dsl.diagnostic import Diagnostic, Severity
from aima.dsl.load import DEFAULT_LIMITS, Limits, _load, load
from aima.dsl.node import Json, Mapping, Mark, Node, Scalar, Sequence, to_json
from aima.dsl.yaml_compose import PARSER, Parser

PARSERS = [pytest.param(PARSER, id="libyaml"), pytest.param(yaml.SafeLoader, id="pyyaml")]


def value_of(text: str) -> Json:
    """Load a text that must be clean."""
    _, root, diagnostics = load(text, "w.yaml")
    assert diagnostics == []
    assert root is not None
    return to_json(root)


def told(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> list[tuple[str, int, int]]:
    """Load a text and give the code and place of all that is wrong with it."""
    _, _, diagnostics = load(data, "w.yaml", limits)
    assert all(d.file == "w.yaml" and d.severity is Severity.error for d in diagnostics)
    return [(d.code, d.line, d.column) for d in diagnostics]


def only(data: bytes | str) -> Diagnostic:
    """Load a text with exactly one thing wrong."""
    _, _, diagnostics = load(data, "w.yaml")
    (found,) = diagnostics
    return found


def scalar_at(root: Node | None, *path: str | int) -> Scalar:
    """Walk to a scalar."""
    node = root
    for part in path:
        if isinstance(part, int):
            assert isinstance(node, Sequence)
            node = node.items[part]
        else:
            assert isinstance(node, Mapping)
            node = node.get(part)
    assert isinstance(node, Scalar)
    return node


def bomb(*, levels: int, fan: int) -> str:
    """Write lists of aliases of lists of aliases …: `fan ** levels` values in a few bytes."""
    lines = ["l0: &l0 [x]\n"]
    for level in range(1, levels + 1):
        inner = ", ".join([f"*l{level - 1}"] * fan)
        lines.append(f"l{level}: &l{level} [{inner}]\n")
    return "".join(lines)


def test_an_alias_is_the_anchored_value_with_its_marks() -> None:
    """Shared nodes keep memory small, and their place is where the text is."""
    _, root, diagnostics = load("a: &x [1, two]\nb: *x\nc: &x 3\nd: *x\n", "w.yaml")
    assert diagnostics == []
    assert root is not None
    assert to_json(root) == {"a": [1, "two"], "b": [1, "two"], "c": 3, "d": 3}
    assert scalar_at(root, "b", 1).mark == Mark(1, 11)


def test_the_anchor_written_last_names_the_value() -> None:
    """An anchor inside a value with the same anchor begins later and wins."""
    assert value_of("a: &x [&x 1]\nb: *x\n") == {"a": [1], "b": 1}


def test_an_unknown_alias_is_told_with_the_nearest_anchor() -> None:
    """An alias is a name, and names are mistyped."""
    assert only("a: &common 1\nb: *comon\n").hint == "did you mean `*common`?"
    assert told("a: *b\n") == [("yaml/unknown-alias", 1, 4)]


def test_a_mark_points_behind_anchor_and_tag() -> None:
    """A caret under `&anchor` points at the wrong thing."""
    _, root, _ = load("a: &x !!str text\nb: &y   # why\n  'q'\nc: !!str &z z\n", "w.yaml")
    assert scalar_at(root, "a").mark == Mark(1, 13)
    assert scalar_at(root, "b").mark == Mark(3, 3)
    assert scalar_at(root, "c").mark == Mark(4, 13)


def test_a_430_byte_alias_bomb_is_refused_without_being_expanded() -> None:
    """It would be 9^9 values: reading it takes milliseconds, expanding it all memory."""
    text = bomb(levels=9, fan=9)
    started = time.process_time()
    assert [code for code, *_ in told(text)] == ["yaml/too-many-nodes"]
    assert time.process_time() - started < 10


def test_an_alias_bomb_of_text_merges_or_depth_is_refused_too() -> None:
    """Few values can be long ones, and every alias can go deeper."""
    long = "x" * 100_000
    assert [c for c, *_ in told(f"a: &a {long}\nb: [{'*a, ' * 50}]\n")] == ["yaml/too-large"]
    deep = "".join(f"d{i}: &d{i} [[[[[[[[*d{i - 1}]]]]]]]]\n" for i in range(1, 60))
    assert [c for c, *_ in told(f"d0: &d0 [x]\n{deep}")] == ["yaml/too-deep"]
    keys = ", ".join(f"k{i}: 1" for i in range(1000))
    merged = "\n".join(f"- <<: [{'*m, ' * 20}]" for _ in range(100))
    assert [c for c, *_ in told(f"- &m {{{keys}}}\n{merged}\n")] == ["yaml/too-many-nodes"]


def test_a_value_that_contains_itself_is_refused() -> None:
    """`a: &x [*x]` makes a cycle that no walk ever leaves."""
    assert told("a: &x [*x]\n") == [("yaml/recursive-alias", 1, 8)]
    assert told("a: &x {b: {c: *x}}\n") == [("yaml/recursive-alias", 1, 15)]
    assert told("a: &x\n  <<: *x\n") == [("yaml/recursive-alias", 2, 7)]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("unit", ["[", "{", "- ", "{a: ", "? ", "[a, "])
def test_nesting_3000_deep_is_refused_at_the_limit_and_fast(unit: str, parser: Parser) -> None:
    """It used to cost seconds and end in a RecursionError."""
    started = time.process_time()
    _, root, found = _load(unit * 3000, "w.yaml", DEFAULT_LIMITS, parser=parser)
    assert time.process_time() - started < 10
    assert root is None
    assert [d.code for d in found] == ["yaml/too-deep"]


def test_nesting_at_the_limit_is_fine_and_one_more_is_not() -> None:
    """A limit that is off by one is another limit than the one documented."""
    assert told("[" * 256 + "]" * 256) == []
    assert told("[" * 257 + "]" * 257) == [("yaml/too-deep", 1, 257)]
    assert told("a: [[1]]", Limits(depth=3)) == []
    assert told("a: [[1]]", Limits(depth=2)) == [("yaml/too-deep", 1, 5)]


def test_values_and_bytes_are_counted_exactly() -> None:
    """Limits are a promise in both directions."""
    assert told("a: [1, 2]\n", Limits(nodes=5)) == []  # the map, a key, a list, two numbers
    assert told("a: [1, 2]\n", Limits(nodes=4)) == [("yaml/too-many-nodes", 1, 8)]
    assert told("a: é\n", Limits(bytes=6)) == []
    assert told("a: é\n", Limits(bytes=5)) == [("yaml/too-large", 1, 1)]
    assert told("a: é\n".encode(), Limits(bytes=5)) == [("yaml/too-large", 1, 1)]


def test_a_file_of_mistakes_is_answered_fast_and_not_with_a_page_for_each() -> None:
    """Each unknown alias looks for the nearest anchor: the square of a megabyte is hours."""
    anchors = "".join(f"- &{'a' * 36}{i:04} 1\n" for i in range(5000))
    aliases = "".join(f"- *{'a' * 30}{i:04}bbbbbb\n" for i in range(5000))
    found = told(anchors + aliases)  # the time limit of every test is the proof of "fast"
    assert [code for code, *_ in found] == ["yaml/unknown-alias"] * 100 + ["yaml/too-many-mistakes"]
    assert found[-1] == ("yaml/too-many-mistakes", 5101, 3)
