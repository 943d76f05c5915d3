"""Abbreviations, acronyms, addresses of the web, symbols, and words with digits in them."""

# ruff: noqa: RUF001 - it is about characters that look like others

from __future__ import annotations

import re
from collections.abc import Iterable

from aima.embedded.speech.number_words import cardinal, digits
from aima.embedded.speech.rules import ENDS_SENTENCE, STARTERS, Rule, stop_if_end
from aima.embedded.speech.spelling import spelled

FORMS_OF_ADDRESS = {"Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor"}
TITLES = {
    "Dr": "Doctor", "St": "Saint", "Mt": "Mount", "Ft": "Fort", "Gen": "General", "Col": "Colonel",
    "Capt": "Captain", "Lt": "Lieutenant", "Sgt": "Sergeant", "Rev": "Reverend",
    "Hon": "Honorable", "Gov": "Governor", "Sen": "Senator", "Rep": "Representative",
    "Pres": "President",
}  # fmt: skip
INSIDE = {
    "e.g": "for example", "i.e": "that is", "vs": "versus", "approx": "approximately",
    "est": "established", "avg": "average", "max": "maximum", "dept": "department",
    "fig": "figure", "vol": "volume", "cf": "compare", "viz": "namely", "a.k.a": "also known as",
}  # fmt: skip
AT_THE_END = {
    "etc": "et cetera", "Inc": "Incorporated", "Corp": "Corporation", "Ltd": "Limited",
    "Co": "Company", "Jr": "Junior", "Sr": "Senior", "Ave": "Avenue", "Blvd": "Boulevard",
    "Rd": "Road", "St": "Street", "Dr": "Drive", "Ph.D": spelled("PHD"), "al": "al",
}  # fmt: skip
ROMAN = {"II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12}
SYMBOLS = {
    "&": "and", "+": "plus", "=": "equals", "%": "percent", "@": "at", "<": "less than",
    ">": "greater than", "~": "about", "±": "plus or minus", "×": "times", "÷": "divided by",
    "≈": "about", "≤": "at most", "≥": "at least", "≠": "is not", "°": "degrees",
    "€": "euros", "£": "pounds", "$": "dollars", "√": "square root of", "π": "pi",
    "µ": "micro", "Ω": "ohm", "→": ",", "^": "to the power of", "²": "squared", "³": "cubed",
}  # fmt: skip
TOP_LEVEL = "com|org|net|io|dev|ai|edu|gov|uk|de|fr|eu"


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in words)


def _address(text: str) -> str:
    """Say a host, path or mailbox: its words, and "dot", "slash", "at" between them."""
    said = re.sub(r"\.([a-z]{2})(?=$|[/:])", lambda match: f". {spelled(match[1].upper())}", text)
    for sign, word in (".", "dot"), ("/", "slash"), ("@", "at"), ("_", "underscore"), ("-", "dash"):
        said = said.replace(sign, f" {word} ")
    return said


def _url(match: re.Match[str]) -> str:
    address = match["address"].rstrip(".,;:!?)'\"")
    rest = match["address"][len(address) :]
    path = re.split(r"[?#]", address)[0].rstrip("/")
    return _address(path) + rest


def _at_the_end(match: re.Match[str]) -> str:
    return AT_THE_END[match["word"]] + stop_if_end(match)


def _acronym(match: re.Match[str]) -> str:
    return spelled(match["letters"]) + stop_if_end(match)


def _code_name(match: re.Match[str]) -> str:
    """Part letters from digits: "GPT4" is "GPT 4", "B2B" names its letters."""
    parts = re.findall(r"\d+|[^\W\d_]+", match[0])
    return " ".join(
        spelled(part.upper()) if part.isalpha() and len(part) == 1 else part for part in parts
    )


ADDRESSES: tuple[Rule, ...] = (
    (re.compile(r"\bmailto:", re.IGNORECASE), lambda _: ""),
    (
        re.compile(
            r"\b(?:(?:https?|ftp)://(?:www\.)?|www\.)(?P<address>[^\s<>\"]{1,500})", re.IGNORECASE
        ),
        _url,
    ),
    (
        re.compile(
            r"\b(?P<address>[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})\b"
        ),
        _url,
    ),
    (
        re.compile(
            rf"\b(?P<address>(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{TOP_LEVEL})(?:/[\w./-]{{0,200}})?)\b"
        ),
        _url,
    ),
)
"""Applied first: nothing inside an address is a date or an abbreviation."""

RULES: tuple[Rule, ...] = (
    (re.compile(r"\bw/o\b"), lambda _: "without"),
    (re.compile(r"\bw/(?=\s)"), lambda _: "with"),
    (re.compile(r"\b[Nn]os?\.\s?(?=\d)|#(?=\d)"), lambda _: "number "),
    (re.compile(r"\bp{1,2}\.\s?(?=\d)"), lambda _: "page "),
    (re.compile(r"\b([A-G])#(?!\w)"), lambda match: f"{match[1]} sharp"),
    (re.compile(r"#(?=[A-Za-z])"), lambda _: "hashtag "),
    (
        re.compile(rf"\b({'|'.join(FORMS_OF_ADDRESS)})(?:\.|\b(?=\s[A-Z]))"),
        lambda match: FORMS_OF_ADDRESS[match[1]],
    ),
    (
        re.compile(rf"\b({'|'.join(TITLES)})\.(?=\s(?!(?:{STARTERS})\b)[A-Z])"),
        lambda match: TITLES[match[1]],
    ),
    (re.compile(r"\bDr(?=\s[A-Z])"), lambda _: "Doctor"),
    (
        re.compile(rf"\b({_any_of(INSIDE)})\.", re.IGNORECASE),
        lambda match: INSIDE[match[1].lower()],
    ),
    (re.compile(rf"\b(?P<word>{_any_of(AT_THE_END)})\.{ENDS_SENTENCE}"), _at_the_end),
    (re.compile(rf"\b(?P<letters>(?:[A-Za-z]\.){{2,}}){ENDS_SENTENCE}"), _acronym),
    (re.compile(r"\b([A-Z])\.(?=\s?[A-Z])"), lambda match: spelled(match[1])),
    (
        re.compile(rf"(?<=[a-z] )({'|'.join(ROMAN)})\b"),
        lambda match: cardinal(ROMAN[match[1]]),
    ),
    (re.compile(r"\b0\d+\b(?!\.\d)"), lambda match: digits(match[0])),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9]+\b"), _code_name),
    (re.compile(r"(?<=[\d)]) ?[x*] ?(?=[\d(])"), lambda _: " times "),
    (re.compile(r"(?<=[\w)]) - (?=\d)"), lambda _: " minus "),
    (re.compile("[" + re.escape("".join(SYMBOLS)) + "]"), lambda match: f" {SYMBOLS[match[0]]} "),
    (re.compile(r"(?<=[A-Za-z])\.(?=[A-Za-z])"), lambda _: " dot "),
)
