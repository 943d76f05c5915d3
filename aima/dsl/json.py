"""The shape of plain data: what JSON can say."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""``None``, ``bool``, ``int`` (64 bits), ``float`` (finite), ``str``, and lists and maps of them."""
