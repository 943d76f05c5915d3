"""The voices that can be asked for, under their own and other systems' names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aima.errors import ValidationFailed

DEFAULT = "jm_kumo"
"""Understood best by Whisper among those shipped; docs of the engine have the figures."""

DESCRIPTIONS = {
    "jf_alpha": "female, bright",
    "jf_gongitsune": "female, calm",
    "jf_nezumi": "female, high",
    "jf_tebukuro": "female, soft",
    "jm_kumo": "male",
}
ALIASES = {
    "default": DEFAULT,
    "en": DEFAULT,
    "alloy": DEFAULT,
    "echo": "jm_kumo",
    "onyx": "jm_kumo",
    "ash": "jm_kumo",
    "ballad": "jm_kumo",
    "verse": "jm_kumo",
    "fable": "jf_gongitsune",
    "sage": "jf_gongitsune",
    "nova": "jf_nezumi",
    "coral": "jf_nezumi",
    "shimmer": "jf_tebukuro",
}
"""Names that clients of other services send; the voices do not resemble theirs."""


@dataclass(frozen=True)
class Voice:
    """A voice and its other names."""

    name: str
    description: str
    aliases: tuple[str, ...]


def voices() -> tuple[Voice, ...]:
    """List the voices."""
    return tuple(
        Voice(name, described, tuple(alias for alias, voice in ALIASES.items() if voice == name))
        for name, described in DESCRIPTIONS.items()
    )


def voice_named(name: str, *, among: Iterable[str]) -> str:
    """Give the voice that ``name`` means.

    Raises:
        ValidationFailed: no voice is called so; the message lists those that exist.
    """
    found = ALIASES.get(name.lower(), name)
    known = tuple(among)
    if found not in known:
        raise ValidationFailed(
            f"voice: no voice is called {name!r}; there are: {', '.join([*known, *ALIASES])}"
        )
    return found
