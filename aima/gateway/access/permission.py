"""Who may do what: a permission for each kind of thing to do, and roles that have several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aima.unit import Kind, Unit


class Permission(StrEnum):
    """What a route asks of its caller; ``PUBLIC`` asks nothing."""

    PUBLIC = "public"
    HEALTH_READ = "health:read"
    PAGE_OPEN = "page:open"
    RUN_READ = "run:read"
    RUN_START = "run:start"
    RUN_CONTROL = "run:control"
    WORKFLOW_READ = "workflow:read"
    WORKFLOW_WRITE = "workflow:write"
    UNIT_READ = "unit:read"
    UNIT_VIEW = "unit:view"
    UNIT_QUERY = "unit:query"
    UNIT_RUN = "unit:run"
    MODEL_READ = "model:read"
    RESOURCE_READ = "resource:read"
    EVENT_READ = "event:read"
    INFERENCE_USE = "inference:use"
    STREAM_SHARE = "stream:share"
    KEY_MANAGE = "key:manage"
    AUDIT_READ = "audit:read"
    STACK_CONTROL = "stack:control"


class Role(StrEnum):
    """A set of permissions with a name."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    AUTHOR = "author"
    ADMIN = "admin"
    DEVICE = "device"


_VIEWS = {
    Permission.HEALTH_READ,
    Permission.PAGE_OPEN,
    Permission.RUN_READ,
    Permission.WORKFLOW_READ,
    Permission.UNIT_READ,
    Permission.UNIT_VIEW,
    Permission.MODEL_READ,
    Permission.RESOURCE_READ,
    Permission.EVENT_READ,
}
_OPERATES = _VIEWS | {
    Permission.RUN_START,
    Permission.RUN_CONTROL,
    Permission.UNIT_QUERY,
    Permission.UNIT_RUN,
    Permission.INFERENCE_USE,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset(_VIEWS),
    Role.OPERATOR: frozenset(_OPERATES),
    Role.AUTHOR: frozenset(_OPERATES | {Permission.WORKFLOW_WRITE}),
    Role.ADMIN: frozenset(Permission),
    Role.DEVICE: frozenset({Permission.HEALTH_READ, Permission.STREAM_SHARE}),
}
"""The permissions of each role."""

INCLUDED_IN = {Permission.UNIT_VIEW: Permission.UNIT_QUERY}
"""What a scope allows that allows more."""


def needed(unit: Unit) -> Permission:
    """Tell what a caller must be allowed to do, to ask a unit."""
    if unit.kind is Kind.COMMAND:
        return Permission.UNIT_RUN
    return Permission.UNIT_VIEW if unit.view else Permission.UNIT_QUERY


@dataclass(frozen=True)
class Caller:
    """Whoever was let in.

    Attributes:
        name: the name of its key, for logs.
        scopes: the only permissions of its role that it has; None: all of them.
        id: of its key; empty for the stack's own processes.
        per_minute: how often it may ask; None: as its role may.
    """

    name: str
    role: Role
    scopes: frozenset[str] | None = field(default=None)
    id: str = ""
    per_minute: int | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether it may do this."""
        wanted = {permission, INCLUDED_IN.get(permission, permission)}
        narrowed = self.scopes is not None and not wanted & self.scopes
        return permission in GRANTS[self.role] and not narrowed
