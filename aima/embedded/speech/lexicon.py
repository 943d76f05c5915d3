"""How English words sound, in the phonemes of Kokoro.

The lexicon is the one Kokoro was trained with (``misaki``, US English): a checked part ("gold")
and a larger derived one ("silver"). Words it lacks are looked for without their ending, whose
sound follows from the sound before it.
"""

# ruff: noqa: RUF001 - the letters of the phonetic alphabet look like others

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Entry = str | Mapping[str, str | None]
"""Phonemes, or phonemes by part of speech with a ``DEFAULT``."""

PRIMARY, SECONDARY = "ˈ", "ˌ"
VOWELS = frozenset("AIOQWYaiuæɑɐɒɔəɛɜɪʊʌᵊᵻ")
SIBILANTS = frozenset("szʃʒʧʤ")
VOICELESS = frozenset("ptkfθ")
FLAPPED_AFTER = frozenset("AIOWYiuæɑəɛɪɹʊʌ")


@dataclass(frozen=True)
class Lexicon:
    """Words and their phonemes."""

    gold: Mapping[str, Entry]
    silver: Mapping[str, Entry]

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """Read ``us_gold.json`` and ``us_silver.json``."""
        gold, silver = (
            json.loads((folder / name).read_text("utf-8"))
            for name in ("us_gold.json", "us_silver.json")
        )
        return cls(gold, silver)

    def phonemes(self, word: str, *, role: str = "DEFAULT") -> str | None:
        """Give a word's phonemes, or those of its stem with the ending said; None if unknown."""
        return self.entry(word, role=role) or self._inflected(word, role)

    def entry(self, word: str, *, role: str = "DEFAULT") -> str | None:
        """Give what the lexicon itself says, as written or in another case."""
        for form in dict.fromkeys((word, word.lower(), word.capitalize())):
            for part in (self.gold, self.silver):
                found = part.get(form)
                if isinstance(found, str):
                    return found
                if found is not None:
                    return found.get(role) or found["DEFAULT"]
        return None

    def spell(self, letters: str) -> str:
        """Name letters one by one, the last one stressed: "FBI"."""
        names = [self.entry(letter.upper()) or "" for letter in letters]
        bare = [name.replace(PRIMARY, "").replace(SECONDARY, "") for name in names]
        return "".join(
            _stressed(name, PRIMARY if at == len(bare) - 1 else SECONDARY)
            for at, name in enumerate(bare)
        )

    def _inflected(self, word: str, role: str) -> str | None:
        for ending, say in (("'s", with_s), ("s", with_s), ("ed", with_ed), ("ing", with_ing)):
            if not word.endswith(ending):
                continue
            for stem in _stems(word, ending):
                if len(stem) > 1 and (found := self.entry(stem, role=role)):
                    return say(found)
        return None


def _stems(word: str, ending: str) -> list[str]:
    """Guess what stood before an ending: "studies", "baked", "running"."""
    stem = word.removesuffix(ending)
    guesses = [stem]
    if ending == "s":
        if stem.endswith("s"):  # "glass" is no plural
            return []
        guesses += [stem.removesuffix("e")] if stem.endswith("e") else []
        guesses += [stem.removesuffix("ie") + "y"] if stem.endswith("ie") else []
    if ending in {"ed", "ing"}:
        guesses.insert(0, stem + "e")
        guesses += [stem[:-1]] if stem[-2:-1] == stem[-1:] else []
        guesses += [stem[:-1] + "y"] if stem.endswith("i") else []
    return guesses


def with_s(stem: str) -> str:
    """Say a plural, a third person or a genitive: cats, dogs, churches."""
    if stem[-1:] in SIBILANTS:
        return stem + "ᵻz"
    return stem + ("s" if stem[-1:] in VOICELESS else "z")


def with_ed(stem: str) -> str:
    """Say a past tense: walked, played, wanted."""
    if stem[-1] == "d":
        return stem + "ᵻd"
    if stem[-1] == "t":
        return _flapped(stem) + "ᵻd"
    return stem + ("t" if stem[-1] in VOICELESS | frozenset("sʃʧ") else "d")


def with_ing(stem: str) -> str:
    """Say a present participle: walking, waiting."""
    return _flapped(stem) + "ɪŋ"


def _flapped(stem: str) -> str:
    """Soften a t between vowels, as American speakers do."""
    if len(stem) > 1 and stem[-1] == "t" and stem[-2] in FLAPPED_AFTER:
        return stem[:-1] + "ɾ"
    return stem


def _stressed(name: str, stress: str) -> str:
    """Put a stress before the first vowel."""
    for at, phoneme in enumerate(name):
        if phoneme in VOWELS:
            return name[:at] + stress + name[at:]
    return name
