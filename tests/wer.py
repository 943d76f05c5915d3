"""How far a transcript is from what was said: the word error rate, after numbers are spelled out.

The normalisation is the tests' own, so that a mistake of the speech engine's cannot hide itself.
"""

from __future__ import annotations

import re

import inflect

SIGNS = {"%": " percent ", "&": " and ", "+": " plus ", "°c": " degrees celsius "}
SPELLED = {"dr": "doctor", "mr": "mister", "st": "saint", "gb": "gigabytes", "km": "kilometers"}
MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_WORDS = inflect.engine()


def word_error_rate(said: str, heard: str) -> float:
    """Give the edits (words put in, left out, replaced) for each word that was said."""
    reference, hypothesis = words(said), words(heard)
    costs = list(range(len(hypothesis) + 1))
    for row, word in enumerate(reference, 1):
        previous, costs[0] = costs[0], row
        for column, other in enumerate(hypothesis, 1):
            previous, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, previous + (word != other)),
            )
    return costs[-1] / max(1, len(reference))


def words(text: str) -> list[str]:
    """Give the words of a text in lower case, numbers spelled out, without "and"."""
    text = text.lower()
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    text = re.sub(r"\$(\d+)\.(\d\d)", r"\1 dollars \2 cents", text)
    text = re.sub(r"\$(\d[\d,]*)", r"\1 dollars", text)
    text = re.sub(r"\d+(?:,\d{3})+", lambda match: _cardinal(match[0].replace(",", "")), text)
    text = re.sub(rf"\b({MONTHS})\.? (\d{{1,2}})\b", r"\1 \2th", text)
    text = re.sub(r"(\d):(?=\d\d)|(\d)\.(?=\d\d\s?[ap]m)", r"\1\2 ", text)
    text = re.sub(r"(\d)\.(?=\d)", r"\1 point ", text)
    text = re.sub(r"\b([ap])\.?\s?m\b\.?", r"\1m", text)
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda match: match[0].replace(".", ""), text)
    text = re.sub(r"\d+(?:st|nd|rd|th)?", lambda match: f" {_spelled_out(match[0])} ", text)
    found = re.findall(r"[a-z]+(?:'[a-z]+)?", text.replace("-", " "))
    return [SPELLED.get(word, word) for word in found if word != "and"]


def _spelled_out(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    if digits.startswith("0") and len(digits) == 2:
        return f"oh {_cardinal(digits)}"
    if re.fullmatch("1[1-9]\\d\\d|20[1-9]\\d", digits) and not digits.endswith("00"):
        return f"{_cardinal(digits[:2])} {_cardinal(digits[2:])}"
    said = _cardinal(digits)
    return said if number.isdecimal() else str(_WORDS.ordinal(said))


def _cardinal(digits: str) -> str:
    return str(_WORDS.number_to_words(digits, andword="")).replace(",", "")
