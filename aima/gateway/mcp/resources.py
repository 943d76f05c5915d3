"""Resources: what AIMA manages, to read, and to hear of when it changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import (
    SUBSCRIPTION_ID_META_KEY,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
    event_to_notification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from aima.gateway.mcp.rest import Refused, Rest
from aima.gateway.mcp.tool import Told

Context = ServerRequestContext[Any, Any]

NOT_FOUND = 404
OLDER_NOT_FOUND = -32002
"""What clients before 2026 are told of a resource that there is not."""

MOST_URIS = 100
AGAIN_SECONDS = 1.0
"""After so long a watch that broke off begins again: the stack may be starting anew."""

WORKFLOWS = "asms://pipelines"
"""Where a workflow that comes or goes is seen, and with it a tool."""

_HELD = "aima.subscriptions"


@dataclass(frozen=True)
class ResourceDesk:
    """Answers for resources."""

    rest: Callable[[Context], Rest]

    async def list(
        self, ctx: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """List the resources with an address of their own."""
        told = await _asked(ctx, self.rest(ctx), "")
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=one["uri"],
                    name=_name(one["uri"]),
                    title=one["title"],
                    mime_type=one["mime_type"],
                )
                for one in told["resources"]
            ]
        )

    async def templates(
        self, ctx: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """List the kinds of resources, each with the template of its addresses."""
        told = await _asked(ctx, self.rest(ctx), "")
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=one["uri_template"],
                    name=_name(one["uri_template"]),
                    title=one["title"],
                    mime_type=one["mime_type"],
                )
                for one in told["templates"]
            ]
        )

    async def read(
        self, ctx: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Read a resource; its version says from where on to watch it."""
        told = await _asked(ctx, self.rest(ctx), str(params.uri))
        return types.ReadResourceResult(
            contents=[
                types.TextResourceContents(
                    uri=str(params.uri),
                    mime_type=told["mime_type"],
                    text=json.dumps(told["data"], ensure_ascii=False),
                    _meta={"aima/resource_version": told["resource_version"]},
                )
            ]
        )

    async def subscribe(
        self, ctx: Context, params: types.SubscribeRequestParams
    ) -> types.EmptyResult:
        """Tell a session of before 2026 when a resource changes."""
        rest, uri = self.rest(ctx), str(params.uri)
        snapshot = await _asked(ctx, rest, uri)
        connection = ctx.session._connection  # noqa: SLF001 - only it knows when the session ends
        held: dict[str, asyncio.Task[None]] = connection.state.setdefault(_HELD, {})
        if uri in held:
            return types.EmptyResult()
        if len(held) >= MOST_URIS:
            raise MCPError(types.INVALID_PARAMS, f"a session subscribes to up to {MOST_URIS}")

        async def tell() -> None:
            async with aclosing(changes(rest, uri, snapshot["resource_version"])) as told:
                async for _ in told:
                    await connection.notify("notifications/resources/updated", {"uri": uri})

        held[uri] = asyncio.create_task(tell())
        connection.exit_stack.callback(held[uri].cancel)
        return types.EmptyResult()

    async def unsubscribe(
        self, ctx: Context, params: types.UnsubscribeRequestParams
    ) -> types.EmptyResult:
        """Tell it no more."""
        connection = ctx.session._connection  # noqa: SLF001 - as above
        held: dict[str, asyncio.Task[None]] = connection.state.get(_HELD, {})
        if (task := held.pop(str(params.uri), None)) is not None:
            task.cancel()
        return types.EmptyResult()

    async def listen(
        self, ctx: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Tell of changes for as long as the client listens, first of which ones."""
        rest, wanted = self.rest(ctx), params.notifications
        uris = list(dict.fromkeys(wanted.resource_subscriptions or ()))
        if len(uris) > MOST_URIS:
            raise MCPError(types.INVALID_PARAMS, f"a stream tells of up to {MOST_URIS} resources")
        versions = {uri: version for uri in uris if (version := await _version(rest, uri))}
        tools = await _version(rest, WORKFLOWS) if wanted.tools_list_changed else None
        honored = types.SubscriptionFilter(
            tools_list_changed=True if tools else None, resource_subscriptions=[*versions] or None
        )
        meta = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        acknowledged = types.SubscriptionsAcknowledgedNotificationParams(
            notifications=honored, _meta=meta
        )
        await _send(ctx, types.SubscriptionsAcknowledgedNotification(params=acknowledged))
        news = News()
        async with anyio.create_task_group() as watching:
            for uri, version in versions.items():
                watching.start_soon(_gather, rest, uri, version, news)
            if tools:
                watching.start_soon(_gather_tools, rest, tools, news)
            while not watching.cancel_scope.cancel_called:  # until the client goes
                await _send(ctx, event_to_notification(await news.next(), meta))
        return types.SubscriptionsListenResult(_meta=meta)


@dataclass(frozen=True)
class News:
    """What has changed and was not told yet: once, however often it changed."""

    _events: dict[ServerEvent, None] = field(default_factory=dict)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, event: ServerEvent) -> None:
        """Have something told."""
        self._events[event] = None
        self._some.set()

    async def next(self) -> ServerEvent:
        """Wait for the first that is not told."""
        await self._some.wait()
        event = next(iter(self._events))
        del self._events[event]
        if not self._events:
            self._some.clear()
        return event


async def changes(rest: Rest, uri: str, version: str) -> AsyncGenerator[Told]:
    """Give each change of a resource after a version, also across a new start of the stack."""
    while True:
        try:
            path = f"/resources/watch?uri={quote(uri, safe='')}&since={version}"
            async with aclosing(rest.events(path)) as told:
                async for change in told:
                    version = change.get("resource_version", version)
                    if change.get("type") in ("ADDED", "MODIFIED", "DELETED"):
                        yield change
        except Refused:
            pass
        await asyncio.sleep(AGAIN_SECONDS)
        now = await _version(rest, uri)
        if now is not None and now != version:
            version = now
            yield {"type": "MODIFIED", "uri": uri, "resource_version": now}


async def _gather(rest: Rest, uri: str, version: str, news: News) -> None:
    async with aclosing(changes(rest, uri, version)) as told:
        async for _ in told:
            news.add(ResourceUpdated(uri))


async def _gather_tools(rest: Rest, version: str, news: News) -> None:
    async with aclosing(changes(rest, WORKFLOWS, version)) as told:
        async for change in told:
            if change["type"] != "MODIFIED" or change["uri"] == WORKFLOWS:
                news.add(ToolsListChanged())


async def _version(rest: Rest, uri: str) -> str | None:
    """Read a resource's version; None for what is not there or not for this caller."""
    try:
        told = await rest.ask("GET", _path(uri))
    except Refused:
        return None
    version: str = told["resource_version"]
    return version


async def _asked(ctx: Context, rest: Rest, uri: str) -> Told:
    try:
        return await rest.ask("GET", _path(uri))
    except Refused as refused:
        missing = refused.problem.get("status") == NOT_FOUND
        older = ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS
        code = OLDER_NOT_FOUND if missing and older else types.INVALID_PARAMS
        raise MCPError(code, str(refused), {"uri": uri, **refused.problem}) from refused


async def _send(ctx: Context, notification: types.ServerNotification) -> None:
    await ctx.session.send_notification(notification, related_request_id=ctx.request_id)


def _path(uri: str) -> str:
    return f"/resources?uri={quote(uri, safe='')}" if uri else "/resources"


def _name(uri: str) -> str:
    return uri.partition("://")[2]
