"""How a text says that letters are to be named one by one."""

from __future__ import annotations

MARK = "·"
"""Follows each letter that is to be named: ``U·S·A·``. No word holds it: input is cleaned of it."""


def spelled(letters: str) -> str:
    """Mark letters to be named: "USA" becomes "U·S·A·"."""
    return "".join(letter + MARK for letter in letters if letter.isalpha())
