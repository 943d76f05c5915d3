"""Cutting texts up."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.passages import Cut


def cut(text: str, size: int, overlap: int = 0, unit: str = "tokens") -> list[str]:
    """Give the passages of a text."""
    found = Cut(size, overlap, unit).passages(text)  # type: ignore[arg-type] # tests write it out
    return [text[start:end] for start, end in found]


def test_a_passage_ends_where_a_sentence_does() -> None:
    """Half a sentence is found by nobody."""
    assert cut("One two three. Four five six! Seven.", 8) == [
        "One two three. Four five six!",
        "Seven.",
    ]


def test_a_paragraph_is_kept_whole_where_it_fits() -> None:
    """Its end is a better border than a sentence's."""
    text = "One two. Three four.\n\nFive six seven. Eight nine."
    assert cut(text, 10) == ["One two. Three four.", "Five six seven. Eight nine."]


def test_chinese_is_cut_at_its_own_full_stops() -> None:
    """They have no space behind them."""
    text = "数据库存储数据。向量检索很有用！还有别的句子。"
    assert cut(text, 17) == ["数据库存储数据。向量检索很有用！", "还有别的句子。"]


def test_text_without_any_border_is_cut_all_the_same() -> None:
    """A file of one endless word must not become one endless passage."""
    assert cut("x" * 25, 10, unit="characters") == ["x" * 10, "x" * 10, "x" * 5]


def test_neighbours_share_what_the_overlap_allows() -> None:
    """A fact that stands on a border is then whole in one of the two."""
    assert cut("One two. Three four. Five six.", 6, 3) == [
        "One two. Three four.",
        "Three four. Five six.",
    ]


def test_a_blank_text_has_no_passages() -> None:
    """There is nothing to find."""
    assert cut(" \n\n ", 10) == []


TEXTS = st.text("ab c.!\n数据。ส", max_size=200)
SHAPES = st.integers(1, 20).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(0, size // 2))
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, SHAPES, st.sampled_from(["characters", "tokens"]))
def test_nothing_is_lost_and_nothing_too_long(text: str, shape: tuple[int, int], unit: str) -> None:
    """Whatever the text: what is not in a passage cannot be found."""
    size, overlap = shape
    spans = list(Cut(size, overlap, unit).passages(text))  # type: ignore[arg-type] # as above
    covered = {at for start, end in spans for at in range(start, end)}
    assert all(text[at].isspace() for at in range(len(text)) if at not in covered)
    assert all(a[0] <= b[0] and a[1] < b[1] for a, b in pairwise(spans))
    if unit == "characters":
        assert all(end - start <= size for start, end in spans)


@pytest.mark.timeout(20)
def test_a_long_text_is_cut_in_reasonable_time() -> None:
    """A border that is looked for from the start each time would take minutes."""
    assert len(cut("word. " * 100_000, 100, 20)) == 2500
