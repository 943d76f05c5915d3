"""How known words sound, and words with an ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from aima.embedded.speech.lexicon import Lexicon

LEXICON = Lexicon(
    gold={
        "cat": "kˈæt", "dog": "dˈɔɡ", "church": "ʧˈɜɹʧ", "study": "stˈʌdi", "walk": "wˈɔk",
        "play": "plˈA", "want": "wˈɑnt", "need": "nˈid", "bake": "bˈAk", "run": "ɹˈʌn",
        "wait": "wˈAt", "glass": "ɡlˈæs", "bus": "bˈʌs",
        "live": {"DEFAULT": "lˈIv", "VERB": "lˈɪv"},
        "odd": {"DEFAULT": "ˈɑd", "VERB": None}, "NASA": "nˈæsə", "Paris": "pˈɛɹəs",
        "A": "ˈA", "B": "bˈi", "F": "ˈɛf", "I": "ˈI", "W": "dˈʌbᵊlju",
    },
    silver={"walked": "wˈɔkt!", "rare": "ɹˈɛɹ"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("cat", "kˈæt"),
        ("Cat", "kˈæt"),
        ("CAT", "kˈæt"),
        ("NASA", "nˈæsə"),
        ("paris", "pˈɛɹəs"),
        ("rare", "ɹˈɛɹ"),
        ("cats", "kˈæts"),
        ("dogs", "dˈɔɡz"),
        ("churches", "ʧˈɜɹʧᵻz"),
        ("studies", "stˈʌdiz"),
        ("cat's", "kˈæts"),
        ("walked", "wˈɔkt!"),
        ("played", "plˈAd"),
        ("wanted", "wˈɑntᵻd"),
        ("needed", "nˈidᵻd"),
        ("baked", "bˈAkt"),
        ("studied", "stˈʌdid"),
        ("running", "ɹˈʌnɪŋ"),
        ("baking", "bˈAkɪŋ"),
        ("waiting", "wˈAɾɪŋ"),
        ("waited", "wˈAɾᵻd"),
        ("buses", "bˈʌsᵻz"),
        ("glass", "ɡlˈæs"),
    ],
)
def test_a_word_sounds_as_listed_or_as_its_stem_and_ending(word: str, phonemes: str) -> None:
    """Lists hold stems; speakers say endings by the sound before them."""
    assert LEXICON.phonemes(word) == phonemes


@pytest.mark.parametrize("word", ["zorbax", "s", "xs", "ing", "ed", "gla", "grass"])
def test_a_word_that_is_not_listed_is_unknown(word: str) -> None:
    """Guessing is another's work; "grass" is no plural of "gras"."""
    assert LEXICON.phonemes(word) is None


def test_a_role_chooses_the_sound() -> None:
    """To live in a live show."""
    assert LEXICON.phonemes("live", role="VERB") == "lˈɪv"
    assert LEXICON.phonemes("live", role="NOUN") == "lˈIv"
    assert LEXICON.phonemes("odd", role="VERB") == "ˈɑd", "an empty role means the default"


def test_letters_are_named_with_the_stress_on_the_last() -> None:
    """FBI."""
    assert LEXICON.spell("fbi") == "ˌɛfbˌiˈI"
    assert LEXICON.spell("W") == "dˈʌbᵊlju"
    assert LEXICON.spell("é") == "", "a letter without a name is silent"


def test_the_files_are_read(tmp_path: Path) -> None:
    """As they come in the package."""
    (tmp_path / "us_gold.json").write_text('{"cat": "kˈæt"}', "utf-8")
    (tmp_path / "us_silver.json").write_text("{}", "utf-8")
    assert Lexicon.load(tmp_path).phonemes("cat") == "kˈæt"
