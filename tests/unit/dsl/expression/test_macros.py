"""Going through lists and maps."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionEvaluationError, parse

DATA: dict[str, object] = {
    "l": [3, 1, 2],
    "m": {"z": 1, "a": 2},
    "hits": [{"text": "one", "score": 0.9}, {"text": "two", "score": 0.2}, {"text": "three"}],
}


def value(text: str) -> object:
    """Evaluate over DATA."""
    return parse(text).evaluate(DATA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l.map(x, x * 2)", [6, 2, 4]),
        ("l.map(x, x > 1, x * 2)", [6, 4]),
        ("l.filter(x, x > 1)", [3, 2]),
        ("m.map(k, k + k)", ["zz", "aa"]),
        ("m.filter(k, m[k] > 1)", ["a"]),
        ("l.all(x, x > 0)", True),
        ("l.all(x, x > 1)", False),
        ("l.exists(x, x == 2)", True),
        ("l.exists(x, x == 9)", False),
        ("l.exists_one(x, x > 2)", True),
        ("l.exists_one(x, x > 1)", False),
        ("l.exists_one(x, x > 9)", False),
        ("m.all(k, k.size() == 1)", True),
        ("[].map(x, 1 / 0)", []),
        ("[].all(x, false)", True),
        ("[].exists(x, true)", False),
        ("hits.filter(h, has(h.score) && h.score > 0.5).map(h, h.text).join(', ')", "one"),
        ("hits.map(h, h.?score.orValue(0.0))", [0.9, 0.2, 0.0]),
        ("l.map(x, l.map(y, x * y))", [[9, 3, 6], [3, 1, 2], [6, 2, 4]]),
        ("l.map(x, l.filter(x, x > 1).map(x, x + 1))", [[4, 3], [4, 3], [4, 3]]),
        ("l.map(x, [x, l.map(y, x + y).sum()]).map(p, p[0] + p[1])", [18, 10, 14]),
        ("l.map(l, l + 1)", [4, 2, 3]),
        ("l.map(int, int + 1)", [4, 2, 3]),
        ("l.map(x, {'n': x})", [{"n": 3}, {"n": 1}, {"n": 2}]),
    ],
)
def test_a_macro_goes_through_a_list_or_the_keys_of_a_map(text: str, expected: object) -> None:
    """In order, with the name bound in its body only, shadowing what is outside."""
    assert value(text) == expected


def test_a_name_is_gone_after_its_macro() -> None:
    """It belongs to the body alone."""
    with pytest.raises(ExpressionEvaluationError, match="there is no 'x' here"):
        value("l.map(x, x).size() + x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[0, 1].all(x, 1 / x > 5)", False),
        ("[1, 0].all(x, 1 / x > 5)", False),
        ("[0, 1].exists(x, 1 / x == 1)", True),
        ("[null, 1].exists(x, x)", None),
        ("['a', true].exists(x, x)", True),
        ("['a', false].all(x, x)", False),
    ],
)
def test_all_and_exists_absorb_errors_once_they_are_decided(text: str, expected: object) -> None:
    """They are chains of `&&` and `||`."""
    if expected is None:
        with pytest.raises(ExpressionEvaluationError):
            value(text)
    else:
        assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("[1, 0].exists_one(x, 1 / x == 1)", "1 / x"),
        ("[1, 0].map(x, 1 / x)", "1 / x"),
        ("[1, 0].filter(x, 1 / x > 0)", "1 / x"),
        ("[0, 1].all(x, 1 / x > 0)", "1 / x"),
        ("[0].exists(x, 1 / x > 0)", "1 / x"),
        ("l.filter(x, x)", "x"),
        ("l.map(x, x, x)", "x"),
        ("l.all(x, 'yes')", "'yes'"),
        ("hits.map(h, h.score)", "score"),
    ],
)
def test_an_error_inside_a_macro_is_told_at_its_place_in_the_body(text: str, marked: str) -> None:
    """The message is about one item, the caret about the code."""
    with pytest.raises(ExpressionEvaluationError) as caught:
        value(text)
    assert text[caught.value.offset : caught.value.end] == marked


@pytest.mark.parametrize("text", ["'abc'.map(c, c)", "1.all(x, true)", "null.exists(x, true)"])
def test_only_lists_and_maps_have_items(text: str) -> None:
    """A text is not a list of letters; `split('')` makes one."""
    with pytest.raises(ExpressionEvaluationError, match="goes through a list or the keys of a map"):
        value(text)
