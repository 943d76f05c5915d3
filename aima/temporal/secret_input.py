"""Secrets of a step: looked up in the worker, put into the unit's input, and shown to nobody.

A workflow holds references only, ``env:NAME`` or ``file:PATH``. What they stand for exists in the
memory of the attempt that uses it, and is hidden wherever the attempt's words leave the worker:
errors, progress, events and the run's log.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from temporalio.exceptions import ApplicationError

from aima.errors import ValidationFailed

Part: TypeAlias = str | Mapping[str, str]
"""Literal text, or ``{"secret": reference}``."""
Place: TypeAlias = tuple[Sequence[str | int], Sequence[Part]]
"""Where in an input a text belongs, and what it is made of."""

HIDDEN = "***"
_FEWEST_CHARACTERS = 4  # a shorter one stands in many a text by chance
_MOST_BYTES = 65_536  # of a file: one that has no end must not fill the memory


@dataclass(frozen=True)
class Mask:
    """Hides secrets; the empty one changes nothing."""

    secrets: frozenset[str] = frozenset()

    def text(self, text: str) -> str:
        """Give a text with ``***`` for each secret in it, written plainly or escaped."""
        return self._pattern.sub(HIDDEN, text) if self.secrets else text

    def value(self, value: object) -> Any:  # noqa: ANN401 - what was given, of the same shape
        """Do the same for every text in a JSON value."""
        if not self.secrets:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value

    def failure(self, error: ApplicationError) -> ApplicationError:
        """Say an error anew. Raise it ``from None``: its causes would tell what this hides."""
        return ApplicationError(
            self.text(error.message),
            *map(self.value, error.details),
            type=error.type,
            non_retryable=error.non_retryable,
            next_retry_delay=error.next_retry_delay,
            category=error.category,
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        written = {form for secret in self.secrets for form in _forms(secret)}
        longest_first = sorted(written, key=lambda form: (-len(form), form))
        return re.compile("|".join(map(re.escape, longest_first)))


def fill_in(given: dict[str, Any], places: Sequence[Place]) -> Mask:
    """Put the secrets into an input, and give what hides them.

    Raises:
        ValidationFailed: a reference leads to nothing; the message names it.
    """
    found: set[str] = set()
    for path, parts in places:
        texts = [part if isinstance(part, str) else look_up(part["secret"]) for part in parts]
        found.update(
            text for text, part in zip(texts, parts, strict=True) if not isinstance(part, str)
        )
        here: Any = given
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = "".join(texts)
    return Mask(frozenset(secret for secret in found if len(secret) >= _FEWEST_CHARACTERS))


def look_up(reference: str) -> str:
    """Give what a reference stands for on this machine.

    Raises:
        ValidationFailed: it leads to nothing; the message names it.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        text = os.environ.get(name, "")
    elif kind == "file":
        text = _read(Path(name).expanduser(), reference)
    else:
        raise ValidationFailed(f"{reference!r} is no reference to a secret; write env: or file:")
    if not text:
        raise ValidationFailed(
            f"the secret {reference!r} is empty or not there; set it on the machine of the worker"
        )
    return text


def _read(file: Path, reference: str) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ValidationFailed(
            f"the secret {reference!r} cannot be read: {reason}; mend it on the machine of the "
            "worker"
        ) from None  # the cause may quote the file
    if len(data) > _MOST_BYTES:
        raise ValidationFailed(f"the secret {reference!r} is larger than {_MOST_BYTES} bytes")
    return text.rstrip("\r\n")


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which a message may quote a secret: as it is, by ``!r``, in JSON."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
