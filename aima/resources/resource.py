"""What a resource is, and what is told of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from aima.resources.uri import Template
from aima.unit import Members

Values: TypeAlias = Mapping[str, str]
"""What the variables of a template stand for."""

Data: TypeAlias = dict[str, Any]
"""What a resource shows: a JSON object."""

Kind = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]

MEDIA_TYPE = "application/json"


@dataclass(frozen=True)
class Resource:
    """Something to read and to watch, or many of one kind.

    Attributes:
        permission: what whoever reads or watches it must be allowed to do.
        read: gives what it shows; raises NotFound where there is none.
        members: of a collection: which of its items have changes, and addresses, of their own.
        interval_seconds: how often it is looked at while somebody watches.
    """

    template: Template
    title: str
    permission: str
    read: Callable[[Values], Awaitable[Data]]
    members: Members | None = None
    interval_seconds: float = 2.0

    @property
    def uri(self) -> str:
        """Its address, or the template of its addresses."""
        return self.template.text

    @property
    def is_template(self) -> bool:
        """Tell whether there are many of its kind."""
        return bool(self.template.variables)

    @property
    def member(self) -> Template | None:
        """The template of the addresses of its members, where it is a collection."""
        return None if self.members is None else Template.parse(self.members.uri)

    def permissions(self) -> tuple[str, ...]:
        """Tell all that whoever reads or watches it must be allowed to do."""
        return (self.permission,)

    def items(self, uri: str, data: Data) -> dict[str, Data]:
        """Give what has changes of its own, by address: its members, or itself."""
        way = self.member
        if way is None or self.members is None:
            return {uri: data}
        [variable] = way.variables
        rows: list[Data] = data[self.members.field]
        return {way.expand({variable: str(row[self.members.key])}): row for row in rows}


@dataclass(frozen=True)
class Snapshot:
    """What a resource showed when it was read.

    Attributes:
        version: watching from here on tells all that changes afterwards.
    """

    uri: str
    version: int
    data: Data

    def to_json(self) -> dict[str, object]:
        """Write it."""
        return {
            "uri": self.uri,
            "mime_type": MEDIA_TYPE,
            "resource_version": str(self.version),
            "data": self.data,
        }


@dataclass(frozen=True)
class Change:
    """What a watcher is told.

    Attributes:
        type: ``BOOKMARK`` tells nothing but the version; ``ERROR`` that there is something wrong.
        shows: what it shows now, what a deleted one showed last, or the error.
        coalesced: changes before this one that the watcher was not told.
    """

    type: Kind
    uri: str
    version: int
    shows: Data = field(default_factory=dict)
    coalesced: int = 0

    def to_json(self) -> dict[str, object]:
        """Write it."""
        told: dict[str, object] = {
            "type": self.type,
            "uri": self.uri,
            "resource_version": str(self.version),
        }
        told |= {"object": self.shows} if self.type != "BOOKMARK" else {}
        return told | ({"coalesced": self.coalesced} if self.coalesced else {})
