"""The shape of plain data: what JSON can say."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
"""A boolean, an int of 64 bits, a finite double, text, null, and lists and maps of them."""
