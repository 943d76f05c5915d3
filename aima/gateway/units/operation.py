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
        "state": {"enum": ["queued", "running", "succeeded", "failed", "cancelled"]},
        "started": {"type": "string", "format": "date-time"},
        "ended": {"type": ["string", "null"], "format": "date-time"},
        "seconds": {"type": ["number", "null"]},
        "progress": {
            "type": "object",
            "description": "Of one that goes on and has something to say.",
            "required": ["attempt", "message"],
            "properties": {"attempt": {"type": "integer"}, "message": {"type": "string"}},
        },
        "result": {"description": "Of one that succeeded: what it gives."},
        "error": {"type": "object", "description": "Of one that did not."},
        "links": {"type": "object"},
    },
}
"""Its JSON Schema."""
