"""Sentences of a text that comes in pieces."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.sentences import MOST_CHARACTERS, sentences


async def cut(text: str, size: int) -> list[str]:
    """Cut a text that comes in pieces of a size."""

    async def pieces() -> AsyncIterator[str]:
        for at in range(0, len(text), size):
            yield text[at : at + size]

    return [sentence async for sentence in sentences(pieces())]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It is Paris. It lies on the Seine.", ["It is Paris.", "It lies on the Seine."]),
        ("It costs 3.50, says Dr. Strange. Buy!", ["It costs 3.50, says Dr. Strange.", "Buy!"]),
        ("Yes. It is so, indeed.", ["Yes. It is so, indeed."]),
        ("巴黎是法国的首都城市哦。它位于此。", ["巴黎是法国的首都城市哦。", "它位于此。"]),
        ("A heading of it\n\nand a paragraph", ["A heading of it", "and a paragraph"]),
        ("no end", ["no end"]),
        ("   ", []),
        ("", []),
    ],
)  # fmt: skip
async def test_a_sentence_is_given_once_it_is_whole(
    text: str, wanted: list[str], size: int
) -> None:
    """However the pieces are cut; numbers, titles and crumbs are no ends."""
    assert await cut(text, size) == wanted


async def test_a_sentence_is_not_waited_for_longer_than_a_breath() -> None:
    """Some models never stop for one."""
    parts = await cut("word " * 200, 9)
    assert all(len(part) <= MOST_CHARACTERS for part in parts)
    assert len(parts) > 3


@given(st.text(alphabet="ab .!?\n1。", max_size=400), st.integers(1, 50))
async def test_no_word_is_lost(text: str, size: int) -> None:
    """Joined, the sentences are the text, but for space."""
    assert "".join("".join(await cut(text, size)).split()) == "".join(text.split())
