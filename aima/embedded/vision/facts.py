"""What was found in a picture, and the plain words for it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from aima.embedded.vision.nanodet import Thing

DARK, BRIGHT = 0.3, 0.7
PLURALS = {"person": "people", "mouse": "mice", "knife": "knives", "sheep": "sheep"}
ALREADY_MANY = {"scissors", "skis"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
GLUE = set(
    """a an the this that these those there it its in on of and with is are at by to as here
    image photo scene shows showing depicts contains containing features featuring seen see i can
    colour colours color colors tones mostly mainly main also background light lighting which has
    have you be answer yes no""".split()  # noqa: SIM905 - easier to read as a text
)
"""Words that tell nothing new."""


@dataclass(frozen=True)
class Facts:
    """What was found in a picture."""

    things: tuple[Thing, ...]
    lines: tuple[str, ...]
    colours: tuple[str, ...]
    brightness: float

    @property
    def counted(self) -> str:
        """The things by number and kind; empty where nothing was found."""
        counts = Counter(thing.label for thing in self.things)
        return _listed([_number_of(label, count) for label, count in counts.items()])

    @property
    def look(self) -> str:
        """Light and colours."""
        light = "dark" if self.brightness < DARK else "bright" if self.brightness > BRIGHT else ""
        return f"a {light + ' ' if light else ''}picture, mainly {_listed(list(self.colours))}"

    @property
    def written(self) -> str:
        """What is written in it; empty where nothing is."""
        return f'It says: "{" / ".join(self.lines)}".' if self.lines else ""

    @property
    def sentence(self) -> str:
        """All of it, in words that are always the same."""
        shows = f"It shows {self.counted}." if self.things else "It shows nothing that was known."
        parts = [
            f"This is {self.look}.",
            shows if self.things or not self.lines else "",
            self.written,
        ]
        return " ".join(filter(None, parts))

    def agrees(self, text: str, *, question: str = "") -> bool:
        """Tell whether a text can be let pass as a wording of these facts.

        It has no word that neither the facts nor the question have, such as the name of another
        thing or a tale about it. A description names every kind of thing that was found, an
        answer says something that was not in its question.
        """
        words, asked = _words(text), _words(question)
        known = _words(self.sentence) | asked | GLUE
        if question:
            return words <= known and bool(words - asked - GLUE)
        named = all(
            words >= _words(thing.label) or words >= _words(_plural(thing.label))
            for thing in self.things
        )
        return bool(words) and words <= known and named


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))


def _number_of(label: str, count: int) -> str:
    if count == 1:
        return label if label in ALREADY_MANY else f"{'an' if label[0] in 'aeiou' else 'a'} {label}"
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return f"{number} {_plural(label)}"


def _plural(label: str) -> str:
    if label in PLURALS or label in ALREADY_MANY:
        return PLURALS.get(label, label)
    return label + ("es" if label.endswith(("s", "ch", "sh")) else "s")


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
