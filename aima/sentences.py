"""Sentences of a text, each as soon as it is whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator

LEAST_CHARACTERS = 12
"""A shorter sentence is said with the next one: speech in crumbs sounds like it."""
MOST_CHARACTERS = 300
"""A longer one is cut at a space: who listens is not made to wait for its end."""

_END = re.compile(  # Chinese and Japanese stops and curly quotes are meant
    r"""(?<![\d.])[.!?…]+["'”’)\]]*(?=\s)   # a stop with space behind it, so no number is cut
      | [。！？]+["”』」）]*                   # which need no space
      | \n\s*\n                              # the end of a paragraph
    """,
    re.VERBOSE,
)
_ABBREVIATION = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|No)\.$")


async def sentences(pieces: AsyncIterable[str]) -> AsyncIterator[str]:
    """Give the sentences of a text that comes in pieces; joined they are its words."""
    text = ""
    async for piece in pieces:
        text += piece
        while (end := _end_of_first(text)) is not None:
            yield text[:end].strip()
            text = text[end:].lstrip()
    if text.strip():
        yield text.strip()


def _end_of_first(text: str) -> int | None:
    for found in _END.finditer(text):
        if found.end() >= LEAST_CHARACTERS and not _ABBREVIATION.search(text[: found.end()]):
            return found.end()
    if len(text) > MOST_CHARACTERS:
        space = text.rfind(" ", LEAST_CHARACTERS, MOST_CHARACTERS)
        return space if space > 0 else MOST_CHARACTERS
    return None
