"""The resources that domains declare beside their units."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from aima.resources.resource import Data, Resource, Values
from aima.resources.uri import Template
from aima.unit import Shown, Unit

Ask = Callable[[Unit, Values], Awaitable[Data]]
"""Asks a query with an input, and gives what it says."""

VIEW, QUERY = "unit:view", "unit:query"
"""Whoever may ask the query may read what shows it."""


def shown_by(resources: Mapping[str, Shown], ask: Ask) -> list[Resource]:
    """Make the resources that show what queries say."""
    return [
        Resource(
            Template.parse(shown.uri),
            shown.title,
            VIEW if shown.unit.view else QUERY,
            partial(ask, shown.unit),
            shown.members,
            shown.interval_seconds,
        )
        for shown in resources.values()
    ]
