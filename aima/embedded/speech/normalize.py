"""What is said when a text is read aloud: words and punctuation only.

The order of the rules matters: what has a clear form (an address, a date, an amount of money) is
said first, so that the rules for bare numbers and symbols see only the rest.
"""

from __future__ import annotations

import re

from aima.embedded.speech import calendar, names, quantities
from aima.embedded.speech.plain import plain_text
from aima.embedded.speech.rules import applied
from aima.embedded.speech.spelling import MARK

RULES = (
    *names.ADDRESSES,
    *calendar.RULES,
    *quantities.RULES,
    *names.RULES,
    *calendar.YEARS,
    *quantities.PLAIN_NUMBERS,
)
TIDIED = (
    (re.compile(r"\s+-+\s+|-{2,}"), " — "),
    (re.compile(r"\.{3,}"), "…"),
    (re.compile(r"([!?])[!?]+"), r"\1"),
    (re.compile(rf"[^A-Za-zÀ-ÖØ-öø-ɏ'{MARK},.!?;:—…\"()\n -]"), " "),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r" (?=[,.!?;:…)])"), ""),
)
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')]*\s+|\n+")
CLAUSE_END = re.compile(r"(?<=[,;:—])\s+")
PIECE_CHARACTERS = 200
"""A longer sentence is made in pieces: the voice's memory grows with the length of one."""


def said(text: str) -> str:
    """Give the words that are said for ``text``, one line for each block of it."""
    text = applied(RULES, plain_text(text.replace(MARK, " ")))
    for pattern, replacement in TIDIED:
        text = pattern.sub(replacement, text)
    return text.strip()


def sentences(text: str) -> list[str]:
    """Give the sentences that are said for ``text``; very long ones in pieces."""
    return [
        piece
        for sentence in SENTENCE_END.split(said(text))
        for piece in _pieces(sentence.strip())
        if re.search(r"[A-Za-zÀ-ɏ]", piece)
    ]


def _pieces(sentence: str) -> list[str]:
    if len(sentence) <= PIECE_CHARACTERS:
        return [sentence]
    clauses = CLAUSE_END.split(sentence)
    if len(clauses) == 1:
        clauses = sentence.split(" ")
    if len(clauses) == 1:
        return [
            sentence[at : at + PIECE_CHARACTERS] for at in range(0, len(sentence), PIECE_CHARACTERS)
        ]
    pieces = [""]
    for clause in clauses:
        if pieces[-1] and len(pieces[-1]) + len(clause) >= PIECE_CHARACTERS:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]} {clause}".strip()
    return [part for piece in pieces for part in _pieces(piece)]
