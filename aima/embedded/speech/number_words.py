"""Numbers as English words.

Written here because the obvious library (``inflect``) takes 1.5 s to import, longer than loading
the voice; the tests compare the two.
"""

from __future__ import annotations

UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LARGEST = 10 ** (3 * len(SCALES)) - 1


def cardinal(number: int) -> str:
    """Say how many: 1234 is "one thousand two hundred thirty four".

    Past ``LARGEST`` the digits are said one by one.
    """
    if number < 0:
        return "minus " + cardinal(-number)
    if number > LARGEST:
        return digits(str(number))
    if number < 1000:  # noqa: PLR2004 - three digits make one group
        return _below_thousand(number)
    words = []
    for power in range(len(SCALES) - 1, -1, -1):
        group = number // 1000**power % 1000
        if group:
            words.append(f"{_below_thousand(group)} {SCALES[power]}".strip())
    return " ".join(words)


def ordinal(number: int) -> str:
    """Say which one: 21 is "twenty first"."""
    *front, last = cardinal(number).split(" ")
    if last in IRREGULAR_ORDINALS:
        last = IRREGULAR_ORDINALS[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return " ".join([*front, last])


def year(number: int) -> str:
    """Say a year of four digits: 1905 is "nineteen oh five", 2005 "two thousand five"."""
    century, rest = divmod(number, 100)
    if rest == 0:
        return cardinal(number) if century % 10 == 0 else f"{cardinal(century)} hundred"
    if century % 10 == 0 and rest < 10:  # noqa: PLR2004 - 2001, but 2010 is "twenty ten"
        return cardinal(number)
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"  # noqa: PLR2004


def digits(text: str) -> str:
    """Say each digit of ``text``; other characters are left out."""
    return " ".join(UNITS[int(character)] for character in text if character in "0123456789")


def decimal(text: str) -> str:
    """Say a number as it is written: ``1,234.50`` with its group commas and its point."""
    whole, point, fraction = text.replace(",", "").partition(".")
    if len(whole) > 1 and whole.startswith("0"):
        words = digits(whole)
    else:
        words = cardinal(int(whole or "0"))
    return f"{words} point {digits(fraction)}" if point and fraction else words


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [UNITS[hundreds], "hundred"] if hundreds else []
    if rest >= len(UNITS):
        tens, rest = divmod(rest, 10)
        words.append(TENS[tens])
        if rest:
            words.append(UNITS[rest])
    elif rest or not words:
        words.append(UNITS[rest])
    return " ".join(words)
