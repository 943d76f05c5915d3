"""Numbers with a meaning: money, units, ranges, fractions, versions, telephone numbers."""

from __future__ import annotations

import re

from aima.embedded.speech.number_words import cardinal, decimal, digits, ordinal
from aima.embedded.speech.rules import NUMBER, Rule

CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
MULTIPLES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion"}
UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "mph": ("mile per hour", "miles per hour"),
    "km²": ("square kilometer", "square kilometers"),
    "m²": ("square meter", "square meters"),
    "m³": ("cubic meter", "cubic meters"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "nm": ("nanometer", "nanometers"),
    "m": ("meter", "meters"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"),
    "W": ("watt", "watts"),
    "V": ("volt", "volts"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "MiB": ("mebibyte", "mebibytes"),
    "GiB": ("gibibyte", "gibibytes"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "dB": ("decibel", "decibels"),
    "px": ("pixel", "pixels"),
}
UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8", "⅜": "3/8"}
IP_GROUPS = 4
PHONE_DIGITS = 7


def _money(match: re.Match[str]) -> str:
    one, many, cent, cents = CURRENCIES[match["sign"]]
    amount, multiple = match["amount"], match["multiple"]
    if multiple:
        return f"{decimal(amount)} {MULTIPLES.get(multiple.lower(), multiple.lower())} {many}"
    whole, _, fraction = amount.replace(",", "").partition(".")
    large, small = int(whole or "0"), int(fraction.ljust(2, "0")) if len(fraction) in {1, 2} else 0
    if fraction and not small and int(fraction):
        return f"{decimal(amount)} {many}"
    said = [f"{cardinal(large)} {one if large == 1 else many}"] if large or not small else []
    if small:
        said.append(f"{cardinal(small)} {cent if small == 1 else cents}")
    return " and ".join(said)


def _with_unit(match: re.Match[str]) -> str:
    one, many = UNITS[match["unit"]]
    return f"{decimal(match['amount'])} {one if match['amount'] == '1' else many}"


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match["above"]), int(match["below"])
    if not 0 < above < below <= 100:  # noqa: PLR2004 - past hundredths nobody says it so
        return f"{cardinal(above)} over {cardinal(below)}"
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    one, many = names.get(below, (ordinal(below), ordinal(below) + "s"))
    said = f"{cardinal(above)} {one if above == 1 else many}"
    return f"{match['whole'].strip()} and {said}" if match["whole"] else said


def _version(match: re.Match[str]) -> str:
    groups = match[0].split(".")
    joint = " dot " if len(groups) == IP_GROUPS else " point "
    return joint.join(cardinal(int(group)) for group in groups)


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    if sum(len(group) for group in groups) < PHONE_DIGITS:
        return match[0]
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(digits(group) for group in groups)


RULES: tuple[Rule, ...] = (
    (re.compile("[" + "".join(VULGAR) + "]"), lambda match: " " + VULGAR[match[0]]),
    (re.compile(r"(?<![\w)])-(?=[.$€£¥₹]?\d)"), lambda _: "minus "),
    (re.compile(r"\b[vV](?=\d+\.\d)"), lambda _: "version "),
    (
        re.compile(
            r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{3}[.-])(?:\d{3}[ .-])?\d{4}\b"
        ),
        _telephone,
    ),
    (re.compile(r"(?<![\w.])\+\d{1,3}(?:[ .-]\d{1,9}){1,5}\b"), _telephone),
    (
        re.compile(
            rf"(?P<sign>[{''.join(CURRENCIES)}]) ?(?P<amount>{NUMBER})"
            r"(?:[ -]?(?P<multiple>thousand|million|billion|trillion|bn|[kKmMbBtT])\b)?"
        ),
        _money,
    ),
    (re.compile(r"(?<=\d) ?- ?(?=\d+(?:\.\d+)? ?=)"), lambda _: " minus "),
    (
        re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?) ?- ?(?=\d+(?:\.\d+)?(?![\d-]))"),
        lambda match: f"{match[1]} to ",
    ),
    (re.compile(rf"(?P<amount>{NUMBER}) ?(?P<unit>{UNIT})(?![\w/²³])"), _with_unit),
    (re.compile(rf"({NUMBER}) ?%"), lambda match: f"{decimal(match[1])} percent"),
    (re.compile(r"\b24/7\b"), lambda _: "twenty four seven"),
    (
        re.compile(
            r"(?<![\w./])(?P<whole>\d{1,4} )?(?P<above>\d{1,4})/(?P<below>\d{1,4})(?![\w/])"
        ),
        _fraction,
    ),
    (re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9}){2,5}(?![\w.]*\d)"), _version),
    (
        re.compile(r"\b(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th)\b"),
        lambda match: ordinal(int(match[1].replace(",", ""))),
    ),
)
"""Applied in this order, before plain numbers are said."""

PLAIN_NUMBERS: tuple[Rule, ...] = ((re.compile(NUMBER), lambda match: decimal(match[0])),)
"""Applied last: whatever digits are left."""
