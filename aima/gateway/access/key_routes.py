"""The door's routes for keys: make one, list them, end one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic_core.core_schema import ValidationInfo
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.dsl.duration import parse_bound
from aima.errors import Conflict, NotFound
from aima.gateway.about import About
from aima.gateway.access.keys import Keys, new_key
from aima.gateway.access.permission import GRANTS, Permission, Role
from aima.gateway.incoming import read
from aima.gateway.route import Way, caller_of
from aima.store.keys import KeyRow

PATH = "/api/v2/keys"


def _name(text: str) -> str:
    if not re.fullmatch(r"[\w][\w. @-]{0,79}", text):
        raise ValueError("write up to 80 letters, digits and `_. @-`, a letter or digit first")
    return text


class CreateKey(BaseModel):
    """Make a key."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(_name)] = Field(description="What the audit log calls it.")
    role: Role = Field(description="What it may do.")
    scopes: list[Permission] | None = Field(
        default=None, description="The only permissions of the role that it gets. Absent: all."
    )
    lasts: Annotated[timedelta, BeforeValidator(parse_bound)] | None = Field(
        default=None, description="After how long it ends, such as `30d`. Absent: never."
    )
    per_minute: int | None = Field(
        default=None, ge=1, le=1_000_000, description="How often it may ask. Absent: as its role."
    )

    @field_validator("scopes")
    @classmethod
    def _narrow(
        cls, scopes: list[Permission] | None, given: ValidationInfo
    ) -> list[Permission] | None:
        """Refuse what the role has not: the key would open less than its maker thinks."""
        role = given.data.get("role")
        beyond = [scope for scope in scopes or () if role and scope not in GRANTS[role]]
        if beyond:
            has = [r.value for r in Role if GRANTS[r].issuperset(beyond)]
            raise ValueError(f"the role {role} has no {beyond[0]}; {', '.join(has)} has")
        return scopes


@dataclass(frozen=True)
class KeyRoutes:
    """Manages the keys of the door."""

    keys: Keys

    def ways(self) -> list[Way]:
        """Give the addresses."""
        example = {"name": "ci", "role": "operator", "lasts": "30d"}
        made = About(body=CreateKey, example=example, statuses=(201,), errors=(Conflict,))
        ended = About(errors=(NotFound,))
        return [
            Way("POST", PATH, self.post, Permission.KEY_MANAGE, about=made),
            Way("GET", PATH, self.get, Permission.KEY_MANAGE),
            Way("GET", f"{PATH}/mine", self.mine, Permission.UNIT_READ),
            Way("DELETE", f"{PATH}/{{name}}", self.delete, Permission.KEY_MANAGE, about=ended),
        ]

    async def post(self, request: Request) -> Response:
        """Make a key; this answer is the only one that ever tells it."""
        asked = await read(request, CreateKey)
        scopes = None if asked.scopes is None else tuple(scope.value for scope in asked.scopes)
        made = new_key(
            asked.name, asked.role, scopes=scopes, lasts=asked.lasts, per_minute=asked.per_minute
        )
        await self.keys.add(made)
        return JSONResponse(
            {"key": made.text, **_told(made.row)}, 201, {"cache-control": "no-store"}
        )

    async def get(self, _: Request) -> Response:
        """List the keys that were ever made, without what opens the door."""
        return JSONResponse({"keys": [_told(row) for row in await self.keys.all()]})

    async def mine(self, request: Request) -> Response:
        """Tell who asks, and what it may do."""
        caller = caller_of(request.scope)
        may = [p.value for p in Permission if p is not Permission.PUBLIC and caller.may(p)]
        return JSONResponse({"name": caller.name, "role": caller.role.value, "permissions": may})

    async def delete(self, request: Request) -> Response:
        """End a key, by its id or name."""
        return JSONResponse(_told(await self.keys.revoke(request.path_params["name"])))


def _told(row: KeyRow) -> dict[str, Any]:
    granted = [p for p in Permission if p in GRANTS[Role(row.role)] and p != Permission.PUBLIC]
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "permissions": [p for p in granted if row.scopes is None or p in row.scopes],
        "per_minute": row.per_minute,
        "created_at": _iso(row.created_at),
        "expires_at": _iso(row.expires_at),
        "used_at": _iso(row.used_at),
        "revoked_at": _iso(row.revoked_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
