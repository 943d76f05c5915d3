"""What an operation looks like, wherever it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPERATION: Mapping[str, Any] = {
    "type": "object",
    "description": "Long work; the run of this id in Temporal.",
    "required": ["id", "state", "started", "links"],
    "properties": {
        "id": {"type": "string"},
        "unit": {"type": ["string", "null"]},
        "state": {"enum": ["running", "succeeded", "failed", "cancelled"]},
        "started": {"type": "string", "format": "date-time"},
        "seconds": {"type": ["number", "null"]},
        "result": {"description": "Of one that succeeded: what it gives."},
        "error": {"type": "object", "description": "Of one that did not."},
        "links": {"type": "object"},
    },
}
"""Its JSON Schema."""
