"""The phonemes of a sentence: each word from the lexicon, from its parts, or guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol

from aima.embedded.speech.lexicon import VOWELS, Lexicon, with_s
from aima.embedded.speech.spelling import MARK

TOKEN = re.compile(rf"(?:[^\W\d_]{MARK})+|[^\W\d_]+(?:'[^\W\d_]+)*'?|[,.!?;:—…\"()]")
CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
BEFORE_VERB = {
    "to", "will", "would", "can", "could", "shall", "should", "may", "might", "must", "i", "you",
    "we", "they", "who", "don't", "didn't", "doesn't", "won't", "can't", "i'll", "you'll", "we'll",
    "they'll", "please",
}  # fmt: skip
BEFORE_NOUN = {
    "a", "an", "the", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our",
    "their", "some", "any", "no", "every", "each", "of",
}  # fmt: skip
LONGEST_ACRONYM = 5
SPOKEN_VOWELS = frozenset("aeiouyAEIOUY")
WEAK = {"a": ("ɐ", "ɐ"), "an": ("ɐn", "ɐn"), "the": ("ðə", "ði"), "to": ("tə", "tʊ")}
"""Little words: how they sound before a consonant, and before a vowel."""


class Guess(Protocol):
    """Guesses the phonemes of a word."""

    def phonemes(self, word: str) -> str:
        """Give phonemes for any word of Latin letters."""
        ...


@dataclass(frozen=True)
class Phonemizer:
    """Turns sentences into phonemes."""

    lexicon: Lexicon
    unknown: Guess

    def phonemes(self, sentence: str) -> str:
        """Give the phonemes of a sentence: words apart by blanks, punctuation kept."""
        if sentence.isupper() and " " in sentence:
            sentence = sentence.lower()  # shouted words, not acronyms
        tokens = TOKEN.findall(sentence.replace("-", " "))
        said: list[str] = []
        follows = ""
        for at in range(len(tokens) - 1, -1, -1):
            token = tokens[at]
            if not token[0].isalpha():
                said.append(token)
                follows = ""
                continue
            before = tokens[at - 1].lower() if at else ""
            follows = self._word(token, before=before, follows=follows)
            said.append(follows)
        return _joined(said[::-1])

    def _word(self, word: str, *, before: str, follows: str) -> str:
        if MARK in word:
            return self.lexicon.spell(word.replace(MARK, ""))
        if follows and word.lower() in WEAK:
            return WEAK[word.lower()][follows.lstrip("ˈˌ")[:1] in VOWELS]
        role = "VERB" if before in BEFORE_VERB else "NOUN" if before in BEFORE_NOUN else "DEFAULT"
        return self.lexicon.phonemes(word, role=role) or self._by_parts(word)

    def _by_parts(self, word: str) -> str:
        """Say a word no lexicon has."""
        word = _without_accents(word).strip("'")
        if word.endswith("'s"):
            return with_s(self._word(word[:-2], before="", follows=""))
        parts = [part for part in CASE_CHANGE.split(word) if part]
        if len(parts) > 1:
            return " ".join(self._word(part, before="", follows="") for part in parts)
        if not SPOKEN_VOWELS & set(word) or (word.isupper() and len(word) <= LONGEST_ACRONYM):
            return self.lexicon.spell(word)
        return self.lexicon.phonemes(word) or self.unknown.phonemes(word.replace("'", ""))


def _without_accents(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.replace("ß", "ss").replace("ø", "o"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _joined(said: list[str]) -> str:
    """Put blanks between words, none before punctuation."""
    return re.sub(r" ([,.!?;:…)])", r"\1", " ".join(part for part in said if part))
