"""What an expression is known to read before it runs."""

from __future__ import annotations

import pytest

from aima.dsl.expression import Read, parse


def reads(text: str) -> list[tuple[str, ...]]:
    """Give the paths that an expression reads."""
    return [read.path for read in parse(text).reads]


def only(text: str, path: str) -> Read:
    """Give the last read of a path."""
    return [read for read in parse(text).reads if ".".join(read.path) == path][-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2", []),
        ("input", ["input"]),
        ("steps.chat.content", ["steps.chat.content"]),
        ("steps['chat'].content", ["steps.chat.content"]),
        ("(steps.chat).content", ["steps.chat.content"]),
        ("steps.?chat.?content", ["steps.chat.content"]),
        ("a.b + c.d", ["a.b", "c.d"]),
        ("a.items[0].b", ["a.items"]),
        ("a[b.c].d", ["a", "b.c"]),
        ("a.b[c.d + e.f].g", ["a.b", "c.d", "e.f"]),
        ("has(a.b.c)", ["a.b.c"]),
        ("has(a[b.c].d)", ["a", "b.c"]),
        ("f.g.size()", ["f.g"]),
        ("size(a.b)", ["a.b"]),
        ("a.b.split(c.d)", ["a.b", "c.d"]),
        ("{a.k: b.v}", ["a.k", "b.v"]),
        ("[a.x, [b.y]]", ["a.x", "b.y"]),
        ("{'x': a.b}.x", ["a.b"]),
        ("-a.b > 0 ? c.d : !e.f", ["a.b", "c.d", "e.f"]),
        ("optional.of(a.b).orValue(c.d)", ["a.b", "c.d"]),
    ],
)
def test_every_reference_to_a_root_is_a_read(text: str, expected: list[str]) -> None:
    """Reads are the edges of the workflow: one that is missed is a step that runs too early."""
    assert [".".join(path) for path in reads(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.map(x, x.c + d.e)", ["a.b", "d.e"]),
        ("a.map(x, x.b.map(y, x.c + y.d + z.e))", ["a", "z.e"]),
        ("a.map(a, a.b)", ["a"]),
        ("a.filter(x, has(x.b) && x.b > c.d)", ["a", "c.d"]),
        ("a.map(x, x.ok, x.v) + x.y", ["a", "x.y"]),
        ("x.all(x, x[y.z])", ["x", "y.z"]),
    ],
)
def test_names_bound_by_macros_are_no_reads(text: str, expected: list[str]) -> None:
    """`x` is the author's name for an item there, and the root outside."""
    assert [".".join(path) for path in reads(text)] == expected


@pytest.mark.parametrize(
    "text", ["type(1) == int", "google.protobuf.Timestamp", "[list, map, null_type, type]"]
)
def test_types_are_no_reads(text: str) -> None:
    """They are words of the language, not data."""
    assert reads(text) == []


def test_a_read_knows_its_place() -> None:
    """The checker's caret stands under the reference."""
    text = "1 + steps . chat['content'] + a.b[c.d]"
    marked = [text[read.offset : read.end] for read in parse(text).reads]
    assert marked == ["steps . chat['content']", "a.b", "c.d"]


def test_a_read_tells_whether_more_follows_that_the_text_does_not_say() -> None:
    """The type of `a.b` is not the type of `a.b[0].c`."""
    assert only("a.b", "a.b").complete
    assert not only("a.b[0].c", "a.b").complete
    assert not only("a.b[i]", "a.b").complete


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("has(steps.x) ? steps.x.v : ''", "steps.x.v"),
        ("has(steps.x.v) ? steps.x.v : ''", "steps.x.v"),
        ("!has(steps.x) ? '' : steps.x.v", "steps.x.v"),
        ("has(steps.x) && steps.x.v > 0", "steps.x.v"),
        ("b && has(steps.x) && steps.x.v > 0", "steps.x.v"),
        ("(b && has(steps.x)) && steps.x.v > 0", "steps.x.v"),
        ("!has(steps.x) || steps.x.v > 0", "steps.x.v"),
        ("!(has(steps.x) && b) || steps.x.v > 0", "steps.x.v"),
        ("has(steps.x) ? [1].map(i, i + steps.x.v) : []", "steps.x.v"),
        ("has(steps.x) ? (b ? steps.x.v : 0) : 0", "steps.x.v"),
        ("has(steps['x'].v) ? size(steps.x.v) : 0", "steps.x.v"),
        ("has(steps.x)", "steps.x"),
        ("steps.?x.v.orValue(0)", "steps.x.v"),
        ("steps[?'x'].hasValue()", "steps.x"),
    ],
)
def test_a_read_behind_a_guard_is_guarded(text: str, path: str) -> None:
    """These are the guards of the language: none may be reported as an unguarded read."""
    assert only(text, path).guarded


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("steps.x.v", "steps.x.v"),
        ("has(steps.x) ? '' : steps.x.v", "steps.x.v"),
        ("has(steps.x) || steps.x.v > 0", "steps.x.v"),
        ("!has(steps.x) && steps.x.v > 0", "steps.x.v"),
        ("(has(steps.x) || b) && steps.x.v > 0", "steps.x.v"),
        ("has(steps.y) ? steps.x.v : 0", "steps.x.v"),
        ("steps.x.v > 0 && has(steps.x)", "steps.x.v"),
        ("(has(steps.x) ? 1 : 0) + steps.x.v", "steps.x.v"),
        ("has(steps.x[0]) ? steps.x : []", "steps.x"),
        ("[1].map(steps, has(steps.x)) == [] && steps.x.v", "steps.x.v"),
        ("optional.of(steps.x).orValue(0)", "steps.x"),
    ],
)
def test_a_read_that_no_guard_covers_is_not_guarded(text: str, path: str) -> None:
    """A false guard hides the error until the branch was really skipped."""
    assert not only(text, path).guarded


def test_a_guard_proves_its_path_and_all_that_leads_to_it() -> None:
    """That `steps.x.a` is there says that `steps.x` is, but nothing of `steps.x.b`."""
    assert only("has(steps.x.a) ? steps.x.a.c : 0", "steps.x.a.c").proven == 3
    assert only("has(steps.x.a) ? steps.x.b : 0", "steps.x.b").proven == 2
    assert only("has(steps.x.a) ? steps.y : 0", "steps.y").proven == 1
    assert only("steps.x", "steps.x").proven == 0


def test_an_optional_read_tells_from_where_on_absence_is_tolerated() -> None:
    """`input.user.?name` still needs the user."""
    read = only("input.user.?name.first", "input.user.name.first")
    assert (read.tolerated, read.optional) == (2, True)
    assert only("has(a.b.c)", "a.b.c").tolerated == 1
    plain = only("a.b", "a.b")
    assert (plain.tolerated, plain.optional) == (2, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has(steps.x)", [("steps", "x")]),
        ("has(steps.x.v) && b && has(a.c)", [("steps", "x", "v"), ("a", "c")]),
        ("!(!has(steps.x) || b)", [("steps", "x")]),
        ("has(steps.x) || b", []),
        ("!has(steps.x)", []),
        ("has(steps.x[i])", []),
        ("has(steps.x) ? true : false", []),
        ("b", []),
    ],
)
def test_an_expression_tells_what_is_certain_where_it_is_true(
    text: str, expected: list[tuple[str, ...]]
) -> None:
    """A step's own `if`, and that of the blocks around it, are guards too."""
    assert list(parse(text).proves) == expected
