"""The door's route for webhooks: whoever knows the secret starts the workflow that was applied."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.blocking import in_thread
from aima.errors import AimaError, Conflict, InvalidRequest, TemporalUnreachable, TooManyRuns
from aima.gateway.about import About
from aima.gateway.access.commanded import COMMANDED, Commanded
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.gateway.workflows.applied import AppliedWorkflows
from aima.gateway.workflows.webhook import refusal, verified
from aima.store.events import CloudEvent
from aima.temporal.origin import Origin
from aima.temporal.runs import RunRequest, Runs
from aima.temporal.secret_input import look_up
from aima.temporal.triggers import WebhookTrigger, webhook_triggers

PATH = "/hooks/{workflow}/{name}"
MOST_BYTES = 1 << 20

_EXAMPLE = {"type": "order.paid", "timestamp": "2026-11-29T12:00:00Z", "data": {"order": 7}}
_HEADERS = {
    "webhook-id": "Names the message; sent again it is the same.",
    "webhook-timestamp": "Seconds since 1970; not more than five minutes from now.",
    "webhook-signature": "`v1,` and the Base64 of HMAC-SHA256 of `id.timestamp.body`.",
    "x-hub-signature-256": "With `signature: hub`: `sha256=` and the HMAC-SHA256 of the body.",
}

_ERRORS = (TooManyRuns, TemporalUnreachable)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HookRoutes:
    """Starts runs for signed requests, of stored workflows alone.

    Attributes:
        clock: seconds since 1970.
    """

    applied: AppliedWorkflows
    runs: Runs
    clock: Callable[[], float] = time.time

    def ways(self) -> list[Way]:
        """Give the address; strangers' requests are in the access log, others in the audit log."""
        about = About(example=_EXAMPLE, headers=_HEADERS, statuses=(200, 202), errors=_ERRORS)
        public = Permission.PUBLIC
        return [
            Way("POST", PATH, self.post, public, most_bytes=MOST_BYTES, looks=True, about=about)
        ]

    async def post(self, request: Request) -> Response:
        """Start a run for a signed request; sent again, it starts no second one."""
        way, body = request.path_params, await request.body()
        trigger, source = await self._find(way["workflow"], way["name"])
        message_id = await self._verify(trigger, request, body)
        address = f"hooks/{way['workflow']}/{way['name']}"
        event = _event(message_id, address, body)
        commanded = Commanded(f"POST {PATH}", subject=way["workflow"])
        commanded.body.update(body)
        request.scope[COMMANDED] = commanded
        if trigger is None or not trigger.holds(event):
            return JSONResponse({"id": None})
        commanded.run = trigger.run_id(event)
        given, cause = trigger.input_for(event), Origin(cause=event.id).memo()
        wanted = RunRequest(given, id=commanded.run, source=source, memo=cause)
        with suppress(Conflict):  # it was sent before
            await self.runs.start(trigger.plan, wanted)
        return JSONResponse({"id": commanded.run}, 202)

    async def _find(self, workflow: str, name: str) -> tuple[WebhookTrigger | None, str]:
        row = await self.applied.get(workflow)
        if row is None:
            return None, ""
        found = (one for one in webhook_triggers(row.plan) if one.name == name)
        return next(found, None), row.source

    async def _verify(self, trigger: WebhookTrigger | None, request: Request, body: bytes) -> str:
        """Give the request's id.

        Raises:
            Unauthorized: it is not signed, or there is nothing to sign for.
        """
        secret = ""
        if trigger is not None:
            try:
                secret = await in_thread(look_up, trigger.secret)
            except AimaError as error:  # its owner must know, and nobody else
                log.warning("the webhook %s lets nobody in: %s", request.scope["path"], error)
        kind = trigger.signature if trigger is not None else "standard"
        found = verified(kind, secret, request.headers, body, now=self.clock())
        if not secret:
            raise refusal()
        return found


def _event(message_id: str, address: str, body: bytes) -> CloudEvent:
    """Tell of a request as an event: its body is the data, as JSON where it is JSON.

    Raises:
        InvalidRequest: it is no text.
    """
    data: Any
    try:
        data = from_json(body, allow_inf_nan=False)
    except ValueError:
        try:
            data = body.decode()
        except UnicodeDecodeError as error:
            raise InvalidRequest("the body is neither JSON nor text in UTF-8") from error
    told = data.get("type") if isinstance(data, dict) else None
    kind = told if isinstance(told, str) and told else "webhook"
    return CloudEvent(id=message_id, type=kind, source=address, data=data)
