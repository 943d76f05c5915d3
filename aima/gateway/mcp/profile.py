"""Which units have a tool of their own: few tools help a model choose, the rest it can search."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from aima.dsl.nearest import nearest
from aima.errors import NotFound

DEFAULT = "default"
PROFILES = {
    DEFAULT: (
        "inference.chat",
        "inference.describe",
        "inference.synthesize",
        "inference.transcribe",
        "model.list",
        "model.pull",
        "retrieval.search",
    ),
    "inference": ("inference.*", "retrieval.*", "template.*", "resource.load"),
    "ops": (
        "device.*",
        "model.*",
        "engine.*",
        "service.*",
        "resource.*",
        "app.*",
        "alert.*",
        "fleet.*",
        "inference.models",
    ),
    "all": ("*",),
}
"""Patterns of the names of units, by profile."""


def chosen(units: Iterable[str], profile: str) -> list[str]:
    """Choose the units of a profile, in the order of their names.

    Raises:
        NotFound: there is no such profile.
    """
    patterns = PROFILES.get(profile)
    if patterns is None:
        near = nearest(profile, PROFILES)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(PROFILES)}"
        raise NotFound(f"there is no profile {profile[:40]!r}; {hint}")
    return sorted(u for u in units if any(fnmatchcase(u, pattern) for pattern in patterns))
