"""Words of a text as the full-text index takes them, in languages with and without spaces.

What is written without spaces becomes overlapping pairs of characters, so that every word of two
or more characters is found wherever it stands; each run ends with its last character alone, which
makes single characters findable by prefix. All else is left to the index's own tokenizer.
"""

from __future__ import annotations

import re
import unicodedata

TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
MOST_WORDS = 64

_PIECE = re.compile(
    "(?P<run>["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
    "\U00020000-\U0003ffff]+)"
    r"|(?P<word>[^\W_]+)"
)
_COLLECTION = "\ue000"  # for private use: no text keeps it, see `_plain`


def indexed(text: str, collection: int) -> str:
    """Write a text as the index shall see it, marked with its collection."""
    words = [_COLLECTION + str(collection)]
    for run, word in _pieces(text):
        words += _pairs(run) if run else [word]
    return " ".join(words)


def query(text: str, collection: int) -> str | None:
    """Write what finds passages of a collection with any of the words; None: there are none."""
    terms: dict[str, None] = {}
    for run, word in _pieces(text):
        if len(run) == 1:
            terms[f'"{run}" *'] = None
        else:
            terms |= dict.fromkeys(f'"{w}"' for w in (_pairs(run)[:-1] if run else [word]))
    if not terms:
        return None
    return f'"{_COLLECTION}{collection}" AND ({" OR ".join([*terms][:MOST_WORDS])})'


def _pieces(text: str) -> list[tuple[str, str]]:
    return _PIECE.findall(_plain(text))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace(_COLLECTION, " ")


def _pairs(run: str) -> list[str]:
    return [*(run[i : i + 2] for i in range(len(run) - 1)), run[-1]]
