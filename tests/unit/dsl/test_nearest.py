from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.nearest import nearest

KEYS = ("depends_on", "description", "id", "if", "input", "output", "timeout", "type")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("tiemout", "timeout"),  # swapped
        ("timeot", "timeout"),  # dropped
        ("timeoutt", "timeout"),  # added
        ("timeouz", "timeout"),  # changed
        ("dependsOn", "depends_on"),  # another spelling of the same
        ("depends-on", "depends_on"),
        ("Description", "description"),
        ("typ", "type"),
        ("ouput", "output"),
    ],
)
def test_a_slip_of_the_fingers_is_recognised(word: str, meant: str) -> None:
    """The hint saves a look into the reference."""
    assert nearest(word, KEYS) == meant


@pytest.mark.parametrize("word", ["", "x", "zzz", "memory", "workflow", "timeout" * 10])
def test_a_word_that_is_far_from_all_has_no_nearest(word: str) -> None:
    """A far-fetched suggestion is worse than none."""
    assert nearest(word, KEYS) is None


def test_nothing_is_near_where_nothing_is_known() -> None:
    """The first step of a file has no steps before it."""
    assert nearest("a", ()) is None


@given(order=st.permutations(["step1", "step3", "step4", "ztep2"]))
@settings(deadline=None)
def test_the_answer_does_not_depend_on_the_order(order: list[str]) -> None:
    """Candidates often come from sets; messages are compared in tests and in CI."""
    assert nearest("step2", order) == "step1"


def test_the_nearer_word_wins_over_the_first() -> None:
    """`inputs` is one slip from `input`, two from `outputs`."""
    assert nearest("inputs", ["outputs", "input"]) == "input"


@given(word=st.text(max_size=60), known=st.lists(st.text(max_size=60), max_size=5))
@settings(deadline=None)
def test_the_answer_is_one_of_the_candidates(word: str, known: list[str]) -> None:
    """Whatever was typed."""
    found = nearest(word, known)
    assert found is None or found in known


@given(word=st.text("abcd", min_size=1, max_size=6), other=st.text("abcd", min_size=1, max_size=6))
@settings(deadline=None)
def test_being_near_does_not_depend_on_the_early_end(word: str, other: str) -> None:
    """The search stops a row early where it can; that must never hide a near word."""
    near = _distance(word, other) <= max(1, len(word) // 3) and _distance(word, other) < len(other)
    assert (nearest(word, [other]) is not None) == near


def test_many_long_candidates_cost_little() -> None:
    """A file from anywhere chooses both the word and the candidates."""
    started = time.process_time()
    assert nearest("b" * 40, ["a" * 10_000] * 250 + ["b" * 20 + "c" * 20] * 100_000) is None
    assert time.process_time() - started < 10


def _distance(one: str, other: str) -> int:
    """The same distance by its definition, without any shortcut."""
    if not one or not other:
        return len(one) + len(other)
    ways = [
        _distance(one[:-1], other) + 1,
        _distance(one, other[:-1]) + 1,
        _distance(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    ]
    if one[-2:] == other[-2:][::-1] and len(one) > 1 and len(other) > 1:
        ways.append(_distance(one[:-2], other[:-2]) + 1)
    return min(ways)
