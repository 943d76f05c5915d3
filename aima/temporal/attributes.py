"""The search attributes of a run: what ``aima runs`` and the Temporal UI can filter by."""

from __future__ import annotations

from types import MappingProxyType

PLAN = "AimaPlan"
LABELS = "AimaLabels"

ATTRIBUTES = MappingProxyType({PLAN: "Keyword", LABELS: "KeywordList"})
"""Name and type of each, defined on every server by ``ensure_search_attributes``."""
