"""What requests to models cost, read off their answers and told in the access log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SPENT = "aima.spent"
"""Where the scope of a request has its :class:`Spent`."""


@dataclass
class Spent:
    """Who answered a request, and what it cost in tokens, as far as that was told."""

    engine: str = ""
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def read(self, data: bytes) -> dict[str, Any]:
        """Read an answer, or an event of one, and note what it tells; give it."""
        try:
            told = json.loads(data)
        except ValueError:  # sound, or a picture
            return {}
        if not isinstance(told, dict):
            return {}
        inner = told.get("response")
        usage = told.get("usage") or (inner.get("usage") if isinstance(inner, dict) else None)
        if isinstance(usage, dict):
            self.prompt_tokens = _first(usage, "prompt_tokens", "input_tokens")
            self.completion_tokens = _first(usage, "completion_tokens", "output_tokens")
        return told


def _first(usage: dict[str, Any], *names: str) -> int | None:
    """Give the number that stands under one of these names."""
    return next((n for name in names if isinstance(n := usage.get(name), int)), None)
