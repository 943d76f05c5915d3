"""The speller of unknown words: its arithmetic, and what it makes of real words."""

from __future__ import annotations

import numpy as np
import pytest

from aima.embedded.speech.unknown_words import (
    END,
    FIRST_SYMBOL,
    LETTERS,
    SYMBOLS,
    VOWELS,
    UnknownWords,
)

SIZE = 4


def network(favourite: int) -> UnknownWords:
    """Make a network of zeros that always writes the symbol ``favourite``."""
    shapes = {
        "enc_emb": (3 + len(LETTERS), SIZE),
        "dec_emb": (FIRST_SYMBOL + len(SYMBOLS), SIZE),
        "fc_w": (FIRST_SYMBOL + len(SYMBOLS), SIZE),
    }
    for part in "enc", "dec":
        for name in "w_ih", "w_hh":
            shapes[f"{part}_{name}"] = (3 * SIZE, SIZE)
        for name in "b_ih", "b_hh":
            shapes[f"{part}_{name}"] = (3 * SIZE,)  # type: ignore[assignment]
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    bias = np.zeros(FIRST_SYMBOL + len(SYMBOLS), np.float32)
    bias[favourite] = 1
    return UnknownWords(weights | {"fc_b": bias})


def test_the_symbols_are_those_of_the_network() -> None:
    """74 outputs less four marks; a shift by one would make every word wrong."""
    assert len(SYMBOLS) == 70
    assert sorted(SYMBOLS) == SYMBOLS
    assert SYMBOLS[:4] == ["AA0", "AA1", "AA2", "AE0"]
    assert SYMBOLS[-1] == "ZH"


def test_a_network_that_never_ends_is_ended() -> None:
    """A word must not become a minute of babble."""
    symbols = network(FIRST_SYMBOL).arpabet("word")
    assert symbols == ["AA0"] * 10


def test_the_end_mark_ends_a_word() -> None:
    """And is not said."""
    assert network(END).arpabet("word") == []


@pytest.mark.parametrize(
    ("symbol", "phoneme"),
    [("AH0", "ə"), ("AH1", "ˈʌ"), ("ER0", "əɹ"), ("ER1", "ˈɜɹ"), ("IY2", "ˌi"), ("HH", "h")],
)
def test_stress_is_written_before_the_vowel(symbol: str, phoneme: str) -> None:
    """Unstressed, two vowels have a form of their own."""
    writer = network(FIRST_SYMBOL + SYMBOLS.index(symbol))
    assert writer.phonemes("a") == phoneme * 4


def test_every_symbol_has_phonemes() -> None:
    """None may fail in the middle of a sentence."""
    assert all(network(FIRST_SYMBOL + number).phonemes("a") for number in range(len(SYMBOLS)))
    assert len(VOWELS) == 15
