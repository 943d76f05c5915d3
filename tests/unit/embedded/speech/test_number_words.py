"""Number words, compared with the library they replace."""

from __future__ import annotations

import inflect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.embedded.speech.number_words import LARGEST, cardinal, decimal, digits, ordinal, year

WORDS = inflect.engine()


def by_inflect(number: int) -> str:
    """Say a number with the library, in this engine's plain form."""
    said = str(WORDS.number_to_words(str(number), andword=""))
    return " ".join(said.replace(",", "").replace("-", " ").split())


@given(st.integers(min_value=-LARGEST, max_value=LARGEST))
def test_cardinals_agree_with_inflect(number: int) -> None:
    """The library is slow to import, not wrong."""
    assert cardinal(number) == by_inflect(number)


@given(st.integers(min_value=0, max_value=LARGEST))
def test_ordinals_agree_with_inflect(number: int) -> None:
    """Each ending has its exception."""
    assert ordinal(number) == str(WORDS.ordinal(by_inflect(number)))


def test_numbers_past_the_largest_are_said_digit_by_digit() -> None:
    """Nobody can follow sextillions."""
    assert cardinal(LARGEST + 1).startswith("one zero zero")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1066, "ten sixty six"),
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (1984, "nineteen eighty four"),
        (2000, "two thousand"),
        (2008, "two thousand eight"),
        (2010, "twenty ten"),
        (2026, "twenty twenty six"),
    ],
)
def test_years_are_said_in_pairs(number: int, said: str) -> None:
    """Except where a century is young."""
    assert year(number) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "zero"),
        ("1,234.50", "one thousand two hundred thirty four point five zero"),
        (".5", "zero point five"),
        ("007", "zero zero seven"),
        ("3.", "three"),
    ],
)
def test_decimals_are_said_as_written(text: str, said: str) -> None:
    """Zeros after the point are heard, and zeros before a number are meant."""
    assert decimal(text) == said


def test_digits_leave_the_rest_out() -> None:
    """Telephone numbers come with all sorts of signs."""
    assert digits("+1 (2)") == "one two"
