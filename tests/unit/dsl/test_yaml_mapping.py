from __future__ import annotations

import pytest

from aima.dsl.diagnostic import Diagnostic, Severity
from aima.dsl.load import DEFAULT_LIMITS, Limits, load
from aima.dsl.node import Json, Mapping, Mark, Node, Scalar, Sequence, to_json


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


def test_a_duplicate_key_is_told_at_the_second_with_the_line_of_the_first() -> None:
    """Last-wins loses half of what the author wrote without a word."""
    found = only("name: x\nsteps: []\nname: y\n")
    assert (found.code, found.line, found.column, found.end_column) == (
        "yaml/duplicate-key",
        3,
        1,
        5,
    )
    assert found.message == "the key 'name' is given on line 1 already"


def test_of_a_duplicate_key_the_first_value_stays() -> None:
    """The check goes on with one of them; which one must not be chance."""
    _, root, _ = load("a: 1\na: 2\n", "w.yaml")
    assert scalar_at(root, "a").value == 1


@pytest.mark.parametrize("key", ["1", "1.5", "true", "null", "? [a]\n", "? {a: 1}\n", "{{ x }}"])
def test_keys_that_are_not_text_are_refused(key: str) -> None:
    """JSON has text keys only; `1` and `'1'` would meet there."""
    assert told(f"{key}: x\nb: 1\n")[0][0] == "yaml/bad-key"


def test_merges_take_marks_from_where_they_are_written_and_own_keys_win() -> None:
    """A mistake in merged text has to be mended where the text is."""
    text = "base: &base\n  x: 1\n  y: 2\nuse:\n  <<: *base\n  y: 3\n"
    _, root, diagnostics = load(text, "w.yaml")
    assert diagnostics == []
    use = root.get("use") if isinstance(root, Mapping) else None
    assert isinstance(use, Mapping)
    assert to_json(use) == {"y": 3, "x": 1}
    assert use.entries["x"].key.mark == Mark(2, 3)
    assert scalar_at(use, "y").mark == Mark(6, 6)


def test_the_first_of_several_merged_maps_wins() -> None:
    """That is the rule of YAML's merge key."""
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\n"
    found = value_of(text)
    assert isinstance(found, dict)
    assert found["c"] == {"z": 3, "x": 1, "y": 2}


@pytest.mark.parametrize("merged", ["1", "[{x: 1}, 2]", "text"])
def test_merging_what_is_no_map_is_an_error(merged: str) -> None:
    """Ignoring it would drop what the author meant to add."""
    assert [code for code, *_ in told(f"a: {{<<: {merged}}}\n")] == ["yaml/bad-merge"]


def test_merging_twice_is_a_duplicate_and_a_quoted_merge_sign_is_a_key() -> None:
    """Two `<<` would have an order nobody wrote down."""
    assert told("a: &a {}\nb:\n  <<: *a\n  <<: *a\n") == [("yaml/duplicate-key", 4, 3)]
    assert value_of("'<<': 1\n") == {"<<": 1}
