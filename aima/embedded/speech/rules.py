"""A rule of reading aloud: what a piece of text looks like, and the words said for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]

NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,10}(?:\.\d{1,30})?|\d{1,40}(?:\.\d{1,30})?|\.\d{1,30})"

STARTERS = (
    "A|After|All|An|And|As|At|Because|Before|But|By|For|From|He|Her|His|How|I|If|In|It|Its|My|No|"
    "Now|On|One|Or|Our|She|So|Some|Such|That|The|Their|Then|There|These|They|This|Those|To|We|"
    "What|When|Where|Which|While|Who|Why|With|Yes|You|Your"
)
ENDS_SENTENCE = rf"(?P<end>(?=\s+(?:{STARTERS})\b|\s*$))?"
"""After an abbreviation's stop; the group takes part where that ends the sentence as well."""


def stop_if_end(match: re.Match[str]) -> str:
    """Give back the full stop of an abbreviation at a sentence's end."""
    return "." if match["end"] is not None else ""


def applied(rules: Iterable[Rule], text: str) -> str:
    """Apply rules one after the other, each everywhere in the text."""
    for pattern, words in rules:
        text = pattern.sub(words, text)
    return text
