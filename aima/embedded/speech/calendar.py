"""Times of the day, dates and years."""

from __future__ import annotations

import re

from aima.embedded.speech.number_words import TENS, cardinal, ordinal, year
from aima.embedded.speech.rules import ENDS_SENTENCE, Rule, stop_if_end
from aima.embedded.speech.spelling import spelled

MONTHS = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
MONTH = "|".join([*MONTHS, *(f"{month[:3]}(?:\\.|\\b)" for month in MONTHS), r"Sept(?:\.|\b)"])
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
HALF_DAY = rf"(?P<half>[aApP])(?:\.\s?[mM]\.{ENDS_SENTENCE}|\.?[mM]\b)"
CLOCK = r"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"


def _half_day(match: re.Match[str]) -> str:
    # "at 7 a.m. We left": the stop ends the sentence as well.
    return spelled(match["half"].upper() + "M") + stop_if_end(match)


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), int(match["minute"])
    seconds = match["second"]
    if minute == 0 and not seconds:
        said = cardinal(hour) if match["half"] else f"{cardinal(hour)} o'clock"
    else:
        said = f"{cardinal(hour)} {_two_digits(minute)}"
    if seconds:
        said += f" and {cardinal(int(seconds))} seconds"
    return f"{said} {_half_day(match)}" if match["half"] else said


def _two_digits(number: int) -> str:
    return f"oh {cardinal(number)}" if number < 10 else cardinal(number)  # noqa: PLR2004


def _hour(match: re.Match[str]) -> str:
    return f"{cardinal(int(match['hour']))} {_half_day(match)}"


def _month_name(text: str) -> str:
    return next(month for month in MONTHS if month.startswith(text[:3]))


def _named_date(match: re.Match[str]) -> str:
    said = f"{_month_name(match['month'])} {ordinal(int(match['day']))}"
    return f"{said}, {year(int(match['year']))}" if match["year"] else said


def _numeric_date(match: re.Match[str]) -> str:
    first, second, number = int(match["month"]), int(match["day"]), int(match["year"])
    if first > len(MONTHS):  # 31/12/2026: the day came first
        first, second = second, first
    if not 1 <= first <= len(MONTHS) or not 1 <= second <= 31:  # noqa: PLR2004 - days of a month
        return match[0]
    return f"{MONTHS[first - 1]} {ordinal(second)}, {year(number)}"


def _decade(match: re.Match[str]) -> str:
    century, ten = match["century"], int(match["ten"])
    if ten == 0:
        return f"{cardinal(int(century))} hundreds" if century else match[0]
    tens = {1: "tens"}.get(ten, TENS[ten][:-1] + "ies")
    return f"{cardinal(int(century))} {tens}" if century else tens


RULES: tuple[Rule, ...] = (
    (re.compile(rf"(?<=[\dmM]) ?- ?(?={CLOCK}|\d{{1,2}} ?[aApP]\.?[mM]\b)"), lambda _: " to "),
    (
        re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:[T ](?=\d\d:\d\d))?\b"),
        lambda match: _numeric_date(match) + (" at " if match[0][-1] in "T " else ""),
    ),
    (
        re.compile(r"(?<![\d/])(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?![\d/])"),
        _numeric_date,
    ),
    (
        re.compile(rf"\b(?P<month>{MONTH}) {DAY}(?:,? (?P<year>[12]\d{{3}}))?\b(?!:)"),
        _named_date,
    ),
    (
        re.compile(rf"\b{DAY} (?:of )?(?P<month>{MONTH})(?:,? (?P<year>[12]\d{{3}})\b)?"),
        _named_date,
    ),
    (re.compile(rf"(?<![\d:]){CLOCK}(?:\s?{HALF_DAY})?"), _clock),
    (re.compile(rf"(?<![\d:.])(?P<hour>1[0-2]|0?[1-9])\s?{HALF_DAY}"), _hour),
    (re.compile(r"(?<!\w)(?:'|(?P<century>1[1-9]|20))?(?P<ten>\d)0'?s\b"), _decade),
    (re.compile(r"(?<![\w.])(\d+):(\d+)\b"), lambda match: f"{match[1]} to {match[2]}"),
)

YEARS: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w.,$-])(1[1-9]\d\d|20\d\d)(?![\w%]|[.,]\d)"), lambda m: year(int(m[1]))),
)
"""Numbers that look like years, once those with a unit or a sign have been said."""
