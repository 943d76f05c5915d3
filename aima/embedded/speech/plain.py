"""Plain text from what people and models write: no Markdown, no emoji, plain quotes and dashes.

Every pattern here is bounded, so that no text takes more than linear time.
"""

# ruff: noqa: RUF001 - it is about characters that look like others

from __future__ import annotations

import html
import re
import unicodedata

FOLDED = str.maketrans(
    {"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    | {"–": "-", "‑": "-", "−": "-", "―": "—", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
    | dict.fromkeys("`\u200b\u200c\u200d\ufeff\u00ad")
)
FENCE = re.compile(r"^[ \t]{0,8}(```|~~~).{0,5000}?^[ \t]{0,8}\1[ \t]*$", re.DOTALL | re.MULTILINE)
TABLE_RULE = re.compile(r"^[\s|:+-]*---[\s|:+-]*$")
IMAGE = re.compile(r"!\[([^\]\n]{0,300})\]\([^)\n]{0,500}\)")
LINK = re.compile(r"\[([^\]\n]{1,300})\]\([^)\n]{0,500}\)")
AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,500})>")
TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
CODE = re.compile(r"(`{1,2})([^`\n]{1,300})\1")
EMPHASIS = re.compile(r"(\*{1,3}|~~|(?<!\w)_{1,3})(?=\S)([^*_~\n]{1,500})(?<=\S)\1(?!\w)")
MARKER = re.compile(r"\s*(?:#{1,6}\s|>|[-*+•]\s|(\d{1,3}[.)])\s)\s*")
ENDS = tuple(".!?…:;,—")
SAID_SYMBOLS = "°^"


def plain_text(text: str) -> str:
    """Strip what is meant for the eye. Headings, list items and paragraphs become lines."""
    text = FENCE.sub("\n\n", html.unescape(text))
    for pattern, kept in (IMAGE, r"\1"), (LINK, r"\1"), (AUTOLINK, r"\1"), (CODE, r"\2"):
        text = pattern.sub(kept, text)
    text = EMPHASIS.sub(r"\2", TAG.sub(" ", text).translate(FOLDED))
    text = "".join(character for character in text if not _is_picture(character))
    lines: list[str] = []
    joins = False
    for line in text.splitlines():
        stripped, marked = _unmarked(line)
        if joins and stripped and not marked:
            lines[-1] += " " + stripped
        elif stripped:
            lines.append(stripped)
        # A paragraph and a list item may go on in the next line; a heading never does.
        joins = bool(stripped) and not line.lstrip().startswith("#")
    return "\n".join(line if line.endswith(ENDS) else line + "." for line in lines)


def _unmarked(line: str) -> tuple[str, bool]:
    """Take the mark of a heading, quote or list item off a line; the number of an item stays."""
    if TABLE_RULE.match(line):
        return "", True
    marked = "|" in line
    numbers = ""
    while match := MARKER.match(line):
        numbers += f"{match[1]} " if match[1] else ""
        line, marked = line[match.end() :], True
    cells = [cell.strip() for cell in line.split("|")]
    return numbers.replace(")", ".") + ", ".join(cell for cell in cells if cell), marked


def _is_picture(character: str) -> bool:
    """Tell an emoji or a decoration from something that can be said."""
    if character in SAID_SYMBOLS:
        return False
    return unicodedata.category(character) in {"So", "Sk", "Co", "Cs", "Cn", "Mn", "Me"}
