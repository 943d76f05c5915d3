"""The phonemes of sentences: which words are known, spelled, parted or guessed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.embedded.speech.lexicon import Lexicon
from aima.embedded.speech.normalize import sentences
from aima.embedded.speech.phonemes import Phonemizer


@dataclass
class Echo:
    """Guesses a word to sound as `<word>`, and remembers."""

    asked: list[str] = field(default_factory=list)

    def phonemes(self, word: str) -> str:
        """Guess."""
        self.asked.append(word)
        return f"<{word}>"


LETTERS = {letter: f"{letter.lower()}i" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
LEXICON = Lexicon(
    gold=LETTERS
    | {
        "apple": "ˈæpᵊl", "pear": "pˈɛɹ", "to": "tu", "the": "ði", "end": "ˈɛnd", "go": "ɡˈO",
        "live": {"DEFAULT": "lˈIv", "VERB": "lˈɪv"},
        "record": {"DEFAULT": "ɹəkˈɔɹd", "NOUN": "ɹˈɛkəɹd"},
        "well": "wˈɛl", "known": "nˈOn", "you": "ju", "tube": "tˈub", "hello": "həlˈO",
        "cafe": "kæfˈA",
    },
    silver={},
)  # fmt: skip


def phonemes(sentence: str) -> str:
    """Give the phonemes with a lexicon of few words."""
    return Phonemizer(LEXICON, Echo()).phonemes(sentence)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the apple, the pear.", "ði ˈæpᵊl, ðə pˈɛɹ."),
        ("a pear", "ɐ pˈɛɹ"),
        ("to end", "tʊ ˈɛnd"),
        ("to go", "tə ɡˈO"),
        ("go to.", "ɡˈO tu."),
        ("you live", "ju lˈɪv"),
        ("live pear", "lˈIv pˈɛɹ"),
        ("the record", "ðə ɹˈɛkəɹd"),
        ("to record", "tə ɹəkˈɔɹd"),
        ("well-known", "wˈɛl nˈOn"),
        ("YouTube", "ju tˈub"),
        ("café", "kæfˈA"),
        ("GO TO END", "ɡˈO tʊ ˈɛnd"),
        ('"hello" (you)', '" həlˈO " ( ju)'),
    ],
)
def test_words_sound_by_their_place(sentence: str, expected: str) -> None:
    """Little words bend to the next one, and one spelling may be two words."""
    assert phonemes(sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "letters"),
    [("U·S·A·", "u s a"), ("FBI", "f b i"), ("HTTP", "h t t p"), ("xkcd", "x k c d")],
)
def test_what_cannot_be_pronounced_is_spelled(sentence: str, letters: str) -> None:
    """Marked letters, short capitals, and words without a vowel."""
    said = phonemes(sentence).replace("ˌ", "").replace("ˈ", "")
    assert said == "".join(f"{letter}i" for letter in letters.split())


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("zorbax", ["zorbax"]),
        ("Zorbax's", ["Zorbax"]),
        ("Müller", ["Muller"]),
        ("o'zorb", ["ozorb"]),
        ("KUBERNETES", ["KUBERNETES"]),
    ],
)
def test_what_no_list_has_is_guessed(sentence: str, asked: list[str]) -> None:
    """Plain letters go to the guess: accents and apostrophes mean nothing to it."""
    guess = Echo()
    Phonemizer(LEXICON, guess).phonemes(sentence)
    assert guess.asked == asked


@given(st.text(max_size=60))
def test_no_sentence_fails(text: str) -> None:
    """Letters without a name, endings without a stem: whatever it is, it must not end a request."""
    for sentence in sentences(text):
        phonemes(sentence)


@pytest.mark.parametrize("sentence", ["Ǝ's", "the Ǝ", "Ǝ", "ŋ·'s", "'", "a'"])
def test_a_letter_without_a_name_is_silent(sentence: str) -> None:
    """The rest is said."""
    assert "Ǝ" not in phonemes(sentence)
