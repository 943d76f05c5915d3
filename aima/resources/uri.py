"""Addresses of resources: `asms://DOMAIN/IDENTIFIER[/MORE]`, and templates of them (RFC 6570).

What an identifier holds is percent-encoded: the model `Qwen/Qwen3-8B` is at
`asms://model/Qwen%2FQwen3-8B`. No address leads upwards, written plainly or encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote_to_bytes

from aima.errors import InvalidRequest

SCHEME = "asms://"
MOST_CHARACTERS = 2_048

_DOMAIN = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+")
_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class BadAddress(InvalidRequest):
    """This is no address of a resource."""


@dataclass(frozen=True)
class Uri:
    """An address, taken apart.

    Attributes:
        domain: the first word, in lower case.
        path: what follows, decoded; a part may hold `/` and `:`.
    """

    domain: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return SCHEME + "/".join((self.domain, *(quote(part, safe="") for part in self.path)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an address apart.

        Raises:
            BadAddress: it is none, or leads upwards.
        """
        scheme, domain, path = text[: len(SCHEME)], *_apart(text[len(SCHEME) :])
        if scheme.lower() != SCHEME or len(text) > MOST_CHARACTERS:
            raise _bad(text, "write asms://DOMAIN/IDENTIFIER, as in asms://engine/embedded")
        if not _DOMAIN.fullmatch(domain.lower()):
            raise _bad(text, "its domain is a lower-case word, as in asms://engine/embedded")
        return cls(domain.lower(), tuple(_decoded(part, text) for part in path))


@dataclass(frozen=True)
class Pattern:
    """Addresses in which a star stands for any one part: `asms://device/*/metrics`.

    Attributes:
        parts: what follows the domain, decoded; None is a star.
    """

    domain: str
    parts: tuple[str | None, ...]

    def __str__(self) -> str:
        return SCHEME + "/".join(
            (self.domain, *("*" if p is None else quote(p, safe="") for p in self.parts))
        )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Take a pattern apart; None for an address without a star. `%2A` is an asterisk.

        Raises:
            BadAddress: it is none.
        """
        plain = Uri.parse(text)
        raw = text[len(SCHEME) :].split("/")[1:]
        if "*" not in raw:
            return None
        given = zip(raw, plain.path, strict=True)
        return cls(plain.domain, tuple(None if part == "*" else known for part, known in given))

    def fits(self, template: Template) -> bool:
        """Tell whether an address of a template can be meant."""
        if (template.domain, len(template.parts)) != (self.domain, len(self.parts)):
            return False
        return all(
            wanted is None or wanted == part or _VARIABLE.fullmatch(part)
            for part, wanted in zip(template.parts, self.parts, strict=True)
        )


@dataclass(frozen=True)
class Template:
    """Addresses of one form: `asms://model/{id}`; each variable is a whole part."""

    text: str
    domain: str
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a template apart.

        Raises:
            BadAddress: it is none.
        """
        domain, parts = _apart(text.removeprefix(SCHEME))
        plain = Uri.parse(SCHEME + "/".join((domain, *(_VARIABLE.sub("x", p) for p in parts))))
        if any("{" in part and not _VARIABLE.fullmatch(part) for part in parts):
            raise _bad(text, "a variable is a whole part of a template, as in asms://model/{id}")
        return cls(text, plain.domain, tuple(parts))

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in their order."""
        return tuple(found[1] for part in self.parts if (found := _VARIABLE.fullmatch(part)))

    def variable_parts(self) -> tuple[int, ...]:
        """Tell which of its parts are variables."""
        return tuple(n for n, part in enumerate(self.parts) if _VARIABLE.fullmatch(part))

    def like(self, address: str) -> str:
        """Fill the variables with what stands there in an address that may be meant for this."""
        _, given = _apart(address.removeprefix(SCHEME))
        if len(given) != len(self.parts):
            return self.text
        filled = (
            g if _VARIABLE.fullmatch(p) else p for p, g in zip(self.parts, given, strict=True)
        )
        return SCHEME + "/".join((self.domain, *filled))

    def match(self, uri: Uri) -> dict[str, str] | None:
        """Give the values of the variables in an address; None where it is of another form."""
        if uri.domain != self.domain or len(uri.path) != len(self.parts):
            return None
        values: dict[str, str] = {}
        for part, given in zip(self.parts, uri.path, strict=True):
            if variable := _VARIABLE.fullmatch(part):
                values[variable[1]] = given
            elif part != given:
                return None
        return values

    def expand(self, values: Mapping[str, str]) -> str:
        """Write the address with these values."""
        filled = (
            values[found[1]] if (found := _VARIABLE.fullmatch(part)) else part
            for part in self.parts
        )
        return str(Uri(self.domain, tuple(filled)))


def _apart(text: str) -> tuple[str, list[str]]:
    domain, *path = text.split("/")
    return domain, path


def _decoded(part: str, text: str) -> str:
    """Decode a part of an address, and refuse what could mean another place."""
    if not _SEGMENT.fullmatch(part):
        raise _bad(text, "percent-encode what its identifier holds: `/` is %2F, a space %20")
    try:
        plain = unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise _bad(text, "what is percent-encoded must be UTF-8") from None
    if not plain.isprintable() or {".", ".."} & set(re.split(r"[/\\]", plain)):
        raise _bad(text, "an address does not lead upwards and has no control characters")
    return plain


def _bad(text: str, hint: str) -> BadAddress:
    return BadAddress(f"{text[:200]!r} is no address of a resource; {hint}")
