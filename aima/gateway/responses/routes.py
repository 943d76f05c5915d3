"""The door's addresses of OpenAI's Responses API.

An engine that has it is asked as it is; any other is asked a chat, and its answer is told back as
it comes. What was said before is kept here, for the key that asked: engines remember nothing, so
any of them may answer next. Source: the API's public reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import ModelNotFound, NotFound, TimedOut
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.incoming import read_object
from aima.gateway.openai.remote_media import bring_in
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.openai.workflow_models import PREFIX, WorkflowModels
from aima.gateway.relaying import Relayed, while_heard
from aima.gateway.responses.answered import answered, begun
from aima.gateway.responses.asked import Asked, Named
from aima.gateway.responses.by_workflow import ask_workflow
from aima.gateway.responses.events import Events
from aima.gateway.responses.items import sees
from aima.gateway.responses.kept import Conversation, Kept
from aima.gateway.responses.noted import Noted
from aima.gateway.retelling import Ask, Retold, whole
from aima.gateway.route import Way, caller_of
from aima.gateway.sse import EVENTS
from aima.mistakes import accept
from aima.outbound import Outbound
from aima.ports.inference import ModelType, Outlet, RelayRequest
from aima.routing.router import Router
from aima.store.responses import KeptResponse

PATH = "/v1/responses"
MOST_BYTES = 96 << 20
_EXAMPLE = {"model": "default", "input": "Why is the sky blue?", "max_output_tokens": 100}
_CREATES = About(
    body=Asked,
    example=_EXAMPLE,
    gives=(JSON, EVENTS),
    errors=(NotFound, ModelNotFound, TimedOut),
    passes_on=True,
)
_KEPT = About(errors=(NotFound,))
_ENDS = tuple(f'"response.{end}"'.encode() for end in ("completed", "incomplete", "failed"))


@dataclass(frozen=True)
class ResponsesRoutes:
    """Answers requests of the Responses API.

    Attributes:
        engines: those that have this API are asked as they are.
        chats: the others, by chats.
        outbound: fetches what requests name by address; no engine does that for them.
        kept: what was said before.
        workflows: those that answer chats, as further models.
    """

    engines: Router
    chats: Translated
    outbound: Outbound
    kept: Kept
    workflows: WorkflowModels | None = None

    def ways(self) -> list[Way]:
        """Give the addresses."""
        use = Permission.INFERENCE_USE
        return [
            Way("POST", PATH, self.create, use, MOST_BYTES, about=_CREATES),
            Way("GET", f"{PATH}/{{id}}", self.get, use, about=_KEPT),
            Way("GET", f"{PATH}/{{id}}/input_items", self.input_items, use, about=_KEPT),
            Way("DELETE", f"{PATH}/{{id}}", self.delete, use, about=_KEPT),
        ]

    async def create(self, request: Request) -> Response:
        """Go on with a conversation."""
        body = await read_object(request)
        named = accept(Named.model_validate, body, what="the request")
        named.check()
        owner, said_bytes = caller_of(request.scope).id, len(await request.body())
        said = await self.kept.conversation(owner, named, said_bytes)
        body["input"] = said.items
        kind: ModelType = "vlm" if sees(said.items) else "llm"
        if self.workflows and named.model.startswith(PREFIX):
            return await self._by_workflow(request, self.workflows, body, said)
        if await self.engines.responds(named.model, kind):
            return await self._passed(request, body, kind, said)
        return await self._translated(request, body, kind, said)

    async def get(self, request: Request) -> Response:
        """Give an answer again."""
        return JSONResponse((await self._found(request)).response)

    async def input_items(self, request: Request) -> Response:
        """List what was said before an answer, the latest first unless asked otherwise."""
        found = await self._found(request)
        items = [{"id": f"item_{n}", "type": "message"} | i for n, i in enumerate(found.input)]
        asked = accept(_Page.model_validate, dict(request.query_params), what="the query")
        items = items if asked.order == "asc" else items[::-1]
        names = [item["id"] for item in items]
        start = names.index(asked.after) + 1 if asked.after in names else 0
        page = items[start : start + asked.limit]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        more = {"has_more": start + asked.limit < len(items)}
        return JSONResponse({"object": "list", "data": page, **ends, **more})

    async def delete(self, request: Request) -> Response:
        """Forget an answer."""
        name = request.path_params["id"]
        await self.kept.drop(caller_of(request.scope).id, name)
        return JSONResponse({"id": name, "object": "response", "deleted": True})

    async def _found(self, request: Request) -> KeptResponse:
        return await self.kept.find(caller_of(request.scope).id, request.path_params["id"])

    async def _passed(
        self, request: Request, body: dict[str, Any], kind: ModelType, said: Conversation
    ) -> Response:
        """Pass a request on to an engine that has this API, which need not remember it."""
        before = body.pop("previous_response_id", None)
        body["store"] = False
        await while_heard(request, bring_in(body, self.outbound))
        wanted = RelayRequest(model=body.get("model", "default"), path="responses", body=body)
        spent = request.scope[SPENT] = Spent()
        if body.get("stream") is True:

            async def ask(outlet: Outlet) -> None:
                await self.engines.respond(wanted, kind, Noted(outlet, said.keep))

            return Relayed(ask, spent, closing=_ENDS)
        told = await while_heard(request, whole(partial(self.engines.respond, wanted, kind), spent))
        told |= {"previous_response_id": before}
        await said.keep(told)
        return JSONResponse(told)

    async def _translated(
        self, request: Request, body: dict[str, Any], kind: ModelType, said: Conversation
    ) -> Response:
        """Ask an engine that answers chats."""
        asked, chat = _chat(body)
        await while_heard(request, bring_in(chat, self.outbound))
        wanted = RelayRequest(model=asked.model, path="chat/completions", body=chat)
        return await self._told(request, asked, said, partial(self.chats.relay, wanted, kind))

    async def _by_workflow(
        self, request: Request, workflows: WorkflowModels, body: dict[str, Any], said: Conversation
    ) -> Response:
        """Ask a workflow."""
        asked, chat = _chat(body)
        return await self._told(
            request, asked, said, partial(ask_workflow, workflows, request, chat)
        )

    async def _told(self, request: Request, asked: Asked, said: Conversation, ask: Ask) -> Response:
        """Tell the answer to a chat."""
        spent = request.scope[SPENT] = Spent()
        start = begun(asked.model, asked.echoed(), store=said.is_kept)
        if asked.stream:
            return Retold(ask, Events(start, said.keep), spent)
        told = answered(await while_heard(request, whole(ask, spent)), start)
        await said.keep(told)
        return JSONResponse(told)


def _chat(body: dict[str, Any]) -> tuple[Asked, dict[str, Any]]:
    asked = accept(Asked.model_validate, body, what="the request")
    return asked, asked.chat()


class _Page(BaseModel):
    """A part of a list."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = None
    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"
