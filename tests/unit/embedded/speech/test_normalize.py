"""What is said for a text: each rule with its look-alikes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.embedded.speech.normalize import PIECE_CHARACTERS, said, sentences

TIMES = [
    ("at 3:30 p.m. on Monday", "at three thirty P·M· on Monday."),
    ("at 7 a.m. We left", "at seven A·M·. We left."),
    ("At 5 PM. Midnight", "At five P·M·. Midnight."),
    ("14:05, 12:00 and 00:00", "fourteen oh five, twelve o'clock and zero o'clock."),
    ("17:05:09", "seventeen oh five and nine seconds."),
    ("10am-5pm or 9:00-17:00", "ten A·M· to five P·M· or nine o'clock to seventeen o'clock."),
    ("a ratio of 3:1", "a ratio of three to one."),
]
DATES = [
    ("on 2026-12-01", "on December first, twenty twenty six."),
    ("on 12/25/1990", "on December twenty fifth, nineteen ninety."),
    ("on 31/12/1999", "on December thirty first, nineteen ninety nine."),
    ("March 3rd, 2024", "March third, twenty twenty four."),
    ("5 May 2020 and Jan. 5", "May fifth, twenty twenty and January fifth."),
    ("in 1805, the 1990s, the '80s", "in eighteen oh five, the nineteen nineties, the eighties."),
    ("2010-2015", "twenty ten to twenty fifteen."),
]
QUANTITIES = [
    ("$5, $1 and £0.99", "five dollars, one dollar and ninety nine pence."),
    ("$3.50 and $1,000", "three dollars and fifty cents and one thousand dollars."),
    ("$1.2 million or €5k", "one point two million dollars or five thousand euros."),
    ("25% of 1,234", "twenty five percent of one thousand two hundred thirty four."),
    ("-5 °C and 100°", "minus five degrees Celsius and one hundred degrees."),
    ("1 kg, 60 km/h, 16 GB", "one kilogram, sixty kilometers per hour, sixteen gigabytes."),
    ("1/2, 2 1/2, ¾, 24/7", "one half, two and one half, three quarters, twenty four seven."),
    ("pages 10–20, 5-6 people", "pages ten to twenty, five to six people."),
    ("10 - 3 = 7", "ten minus three equals seven."),
    ("v1.2.3 and 10.0.0.1", "version one point two point three and ten dot zero dot zero dot one."),
    ("555-1234", "five five five, one two three four."),
    ("1st, 22nd, 1,000th", "first, twenty second, one thousandth."),
    ("Apollo 11, 0.5, 007", "Apollo eleven, zero point five, zero zero seven."),
]
NAMES = [
    ("Dr. Smith vs. Mrs. Jones", "Doctor Smith versus Missus Jones."),
    ("Mr. and Mrs. Jones", "Mister and Missus Jones."),
    ("St. Paul lives on Main St. in Paris", "Saint Paul lives on Main Street in Paris."),
    ("e.g. this, i.e. that, etc.", "for example this, that is that, et cetera."),
    ("tea, etc. The rest", "tea, et cetera. The rest."),
    ("the U.S. army", "the U·S· army."),
    ("J.R.R. Tolkien, Ph.D.", "J·R·R· Tolkien, P·H·D·."),
    ("No. 5, #1", "number five, number one."),
    ("World War II", "World War two."),
    ("H2O, B2B, GPT-4, 3D", "H· two O·, B· two B·, GPT-four, three D·."),
    ("R&D, C++, 5*3", "R and D, C plus plus, five times three."),
    (
        "See https://www.example.com/a-b?q=1#x.",
        "See example dot com slash a dash b.",
    ),
    ("mail bob_s@example.co.uk", "mail bob underscore s at example dot co dot U·K·."),
    ("and/or file.txt", "and or file dot txt."),
]
MARKDOWN = [
    ("**Bold**, *it*, `code`, [link](http://x.y)", "Bold, it, code, link."),
    ("# Title\n\n- one\n- two 😀", "Title.\none.\ntwo."),
    ("A line that\nwraps here", "A line that wraps here."),
    ("1. First\n2. Second", "one. First.\ntwo. Second."),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b.\none, two."),
    ("Before\n```\ncode = 1\n```\nafter", "Before.\nafter."),
    ("<b>tag</b> &amp; “quotes” – dash", 'tag and "quotes" — dash.'),
    ("Really?!! Yes...", "Really? Yes…"),
    ("snake_case and 2*3*4", "snake case and two times three times four."),
]


@pytest.mark.parametrize(("text", "words"), TIMES + DATES + QUANTITIES + NAMES + MARKDOWN)
def test_a_text_is_read_as_a_person_would(text: str, words: str) -> None:
    """Each is a way that texts of people and models really look."""
    assert said(text) == words


def test_sentences_end_where_they_end() -> None:
    """An abbreviation's stop makes no pause; a real one does."""
    text = "Dr. Smith came at 3 p.m. with Mr. Jones. He left! Why? Nobody knows..."
    assert sentences(text) == [
        "Doctor Smith came at three P·M· with Mister Jones.",
        "He left!",
        "Why?",
        "Nobody knows…",
    ]


def test_long_sentences_come_in_pieces_at_their_commas() -> None:
    """Memory and the time to a cancel must not grow with a sentence."""
    text = "and so it goes on, " * 40
    pieces = sentences(text)
    assert all(len(piece) <= PIECE_CHARACTERS for piece in pieces)
    assert all(piece.endswith(",") for piece in pieces[:-1])
    assert " ".join(pieces).count("goes") == 40


def test_a_word_without_end_comes_in_pieces() -> None:
    """Somebody will try."""
    pieces = sentences("a" * 1000)
    assert "".join(pieces).rstrip(".") == "a" * 1000
    assert all(len(piece) <= PIECE_CHARACTERS for piece in pieces)


@pytest.mark.parametrize("text", ["", "   ", "...", "你好，世界", "😀", "---", "?!"])
def test_nothing_to_say_is_no_sentence(text: str) -> None:
    """The caller tells the user; the voice must not make a noise."""
    assert sentences(text) == []


@given(st.text(max_size=300))
def test_whatever_comes_only_words_and_punctuation_are_left(text: str) -> None:
    """The voice knows nothing else."""
    left = set(said(text))
    assert not {c for c in left if not (c.isalpha() or c in " \n'·,.!?;:—…\"()-")}
    assert not any(character.isdigit() for character in left)


@given(st.text(alphabet="1234567890.,:/-$% apmstndkg'", max_size=60))
def test_whatever_numbers_come_none_is_left_unsaid(text: str) -> None:
    """Rules meet in combinations nobody listed; none may fail or leave a digit."""
    assert not any(character.isdigit() for character in said(text))


@pytest.mark.parametrize(
    "piece",
    ["*a", "_a", "[", "![", "<a", "`", "1", "1.", "1,", "1/", "1-", "1:", "a@", "a.", "A.", "$1",
     "http://", "www.", "~~~\n```\n", "|-", "#", "'", "-", "1. ", "a.a@a.", "\n", "x ", "a_"],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    """Patterns that try again from every place would take minutes for some texts."""
    text = (piece * 20_000)[:20_000]
    begun = time.process_time()
    sentences(text)
    assert time.process_time() - begun < 2
