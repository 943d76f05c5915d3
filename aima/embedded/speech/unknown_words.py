"""How a word sounds that no lexicon has: a small neural speller, in plain numpy.

The network is the one of the package ``g2p-en`` (Park & Kim): a GRU reads the letters, another
writes ARPAbet symbols, most likely first. Its weights are ``unknown_words.npz``.
"""

# ruff: noqa: RUF001 - the letters of the phonetic alphabet look like others

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
FIRST_LETTER, UNKNOWN_LETTER, END_OF_WORD = 3, 1, 2
START, END, FIRST_SYMBOL = 2, 3, 4
MOST_LETTERS = 40
CONSONANTS = {
    "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "ʤ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t",
    "TH": "θ", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
VOWELS = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AY": "I", "EH": "ɛ", "ER": "ɜɹ",
    "EY": "A", "IH": "ɪ", "IY": "i", "OW": "O", "OY": "Y", "UH": "ʊ", "UW": "u",
}  # fmt: skip
UNSTRESSED = {"AH": "ə", "ER": "əɹ"}
STRESS = {"0": "", "1": "ˈ", "2": "ˌ"}


def _symbols() -> list[str]:
    """Give the network's output symbols in its order: alphabetical, vowels by their stress."""
    symbols = list(CONSONANTS)
    for vowel in VOWELS:
        symbols += [vowel + stress for stress in STRESS]
    return sorted([*symbols, "UW"])


SYMBOLS = _symbols()


class UnknownWords:
    """Guesses the phonemes of any word of Latin letters."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        """Take the arrays of ``unknown_words.npz``."""
        self._weights = weights

    @classmethod
    def load(cls, folder: Path) -> UnknownWords:
        """Read the weights; nothing in the file is executed."""
        with np.load(folder / "unknown_words.npz", allow_pickle=False) as arrays:
            return cls({name: arrays[name] for name in arrays.files})

    def phonemes(self, word: str) -> str:
        """Guess how ``word`` sounds, in the phonemes of Kokoro."""
        return "".join(_kokoro(symbol) for symbol in self.arpabet(word.lower()[:MOST_LETTERS]))

    def arpabet(self, word: str) -> list[str]:
        """Guess how a lower-case word sounds, in ARPAbet."""
        state = np.zeros(self._weights["enc_w_hh"].shape[1], np.float32)
        for letter in [*map(_letter_index, word), END_OF_WORD]:
            state = self._step("enc", letter, state)
        symbols: list[str] = []
        last = START
        while len(symbols) < 2 * len(word) + 2:
            state = self._step("dec", last, state)
            last = int((self._weights["fc_w"] @ state + self._weights["fc_b"]).argmax())
            if last == END:
                break
            if last >= FIRST_SYMBOL:
                symbols.append(SYMBOLS[last - FIRST_SYMBOL])
        return symbols

    def _step(self, part: str, symbol: int, state: Floats) -> Floats:
        """Take one step of a gated recurrent unit (Cho et al. 2014, PyTorch's gate order)."""
        weights = self._weights
        into = weights[f"{part}_w_ih"] @ weights[f"{part}_emb"][symbol] + weights[f"{part}_b_ih"]
        over = weights[f"{part}_w_hh"] @ state + weights[f"{part}_b_hh"]
        (reset_in, update_in, new_in), (reset_over, update_over, new_over) = (
            np.split(into, 3),
            np.split(over, 3),
        )
        update = _sigmoid(update_in + update_over)
        new: Floats = np.tanh(new_in + _sigmoid(reset_in + reset_over) * new_over)
        return new + update * (state - new)


def _sigmoid(x: Floats) -> Floats:
    one = np.float32(1)
    return one / (one + np.exp(-x))


def _letter_index(letter: str) -> int:
    return FIRST_LETTER + LETTERS.index(letter) if letter in LETTERS else UNKNOWN_LETTER


def _kokoro(symbol: str) -> str:
    if symbol in CONSONANTS:
        return CONSONANTS[symbol]
    vowel, stress = symbol[:2], symbol[2:] or "0"
    if stress == "0":
        return UNSTRESSED.get(vowel, VOWELS[vowel])
    return STRESS[stress] + VOWELS[vowel]
