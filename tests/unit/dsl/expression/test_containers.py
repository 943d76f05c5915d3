"""Lists and maps written in expressions."""

from __future__ import annotations

import json

import pytest

from aima.dsl.expression import ExpressionEvaluationError, parse

DATA: dict[str, object] = {"k": "key", "n": 1, "m": {"a": [1.5, {"b": None}]}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", []),
        ("[1, 'a', null, [true]]", [1, "a", None, [True]]),
        ("[n, m.a[0], n + 1,]", [1, 1.5, 2]),
        ("{}", {}),
        ("{'a': 1, \"b\": [2], 'c': {'d': {}}}", {"a": 1, "b": [2], "c": {"d": {}}}),
        ("{k: n, k + '2': m}", {"key": 1, "key2": {"a": [1.5, {"b": None}]}}),
        ("{'': n,}", {"": 1}),
    ],
)
def test_a_list_or_a_map_holds_what_is_written_in_it(text: str, expected: object) -> None:
    """In the order of the text, values of any kind, keys that may be computed."""
    assert json.dumps(parse(text).evaluate(DATA)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("text", "marked", "says"),
    [
        ("{1: 'a'}", "1", "a key of a map is text, not an int"),
        ("{null: 'a'}", "null", "a key of a map is text, not null"),
        ("{'a': 1, k: 2, n: 3}", "n", "a key of a map is text, not an int"),
        ("{'a': 1, 'b': 2, 'a': 3}", "'a'", "the key 'a' is there twice"),
        ("{'key': 1, k: 2}", "k", "the key 'key' is there twice"),
    ],
)
def test_keys_of_a_map_are_different_texts(text: str, marked: str, says: str) -> None:
    """Maps are JSON objects; a key written twice is a mistake, as it is in YAML."""
    with pytest.raises(ExpressionEvaluationError) as caught:
        parse(text).evaluate(DATA)
    error = caught.value
    assert error.message == says
    assert text[error.offset : error.end] == marked
    assert error.offset == text.rindex(marked)
