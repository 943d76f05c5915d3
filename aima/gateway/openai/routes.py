"""The door that speaks OpenAI's API: every model of every engine at one address.

Requests are passed on as they came, unknown fields and all, and answers as they come, by every
engine that speaks this API. Of one that does not, the same is asked in AIMA's own words, and so is
what differs between engines (rerank, voices, the list of models).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from aima.errors import ModelNotFound, TimedOut
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.incoming import read, read_object
from aima.gateway.openai.remote_media import bring_in
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.openai.workflow_models import PREFIX, WorkflowModels
from aima.gateway.relaying import EVENTS, Relayed, while_heard
from aima.gateway.route import Endpoint, Way
from aima.gateway.runs.form_parts import FORM
from aima.mistakes import accept
from aima.outbound import Outbound
from aima.ports.artifacts import Artifacts
from aima.ports.inference import ModelCard, ModelType, RelayRequest, RerankRequest, Upload
from aima.routing.router import Router

MOST_BYTES = 96 << 20
"""Of a request with pictures in it."""
MOST_UPLOAD_BYTES = 512 << 20
MOST_FIELDS = 40
DONE = b"data: [DONE]"
_FAILING = (ModelNotFound, TimedOut)
_WRITTEN = (JSON, "text/plain", EVENTS)
_GIVES: Mapping[str, tuple[str, ...]] = {
    "chat/completions": (JSON, EVENTS),
    "completions": (JSON, EVENTS),
    "audio/speech": ("audio/*", JSON, EVENTS),
    "audio/transcriptions": _WRITTEN,
    "audio/translations": _WRITTEN,
    "images/generations": (JSON, EVENTS),
    "images/edits": (JSON, EVENTS),
}


@dataclass(frozen=True)
class Passed:
    """An address whose requests are passed on.

    Attributes:
        to: the kind of model that is asked.
        summary: what it does.
        example: what is sent.
    """

    to: ModelType
    summary: str
    example: Mapping[str, object]


_CHAT = {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
_CUP = {"image": "@cup.png", "prompt": "in blue"}
_RERANKS = {
    "query": "How long is the warranty?",
    "documents": ["Our office is in Berlin.", "The warranty lasts 24 months."],
}

ASKED = {
    "chat/completions": Passed("llm", "Go on with a conversation.", _CHAT),
    "completions": Passed(
        "llm", "Go on with a text.", {"prompt": "The capital of France is", "max_tokens": 4}
    ),
    "embeddings": Passed(
        "embedding", "Turn texts into vectors.", {"input": ["How long is the warranty?"]}
    ),
    "audio/speech": Passed(
        "tts", "Say a text aloud.", {"input": "Good morning.", "voice": "default"}
    ),
    "images/generations": Passed(
        "diffusion", "Make pictures from a prompt.", {"prompt": "a red sunset", "size": "256x256"}
    ),
}
"""What is asked with JSON."""

SENT = {
    "audio/transcriptions": Passed(
        "asr", "Write down what is said in a recording.", {"file": "@question.wav"}
    ),
    "audio/translations": Passed(
        "asr", "Write down in English what is said in a recording.", {"file": "@question.wav"}
    ),
    "images/edits": Passed("diffusion", "Change a picture as a prompt says.", _CUP),
}
"""What is asked with a form that holds files."""


class Rerank(BaseModel):
    """Texts to put into the order in which they answer a query, as Jina's API has it."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(default="default", description="One that ranks.")
    query: str = Field(min_length=1, description="What the texts should answer.")
    documents: list[str | dict[str, object]] = Field(description="Texts, or maps with a `text`.")
    top_n: int | None = Field(default=None, gt=0, description="How many of the best to give.")
    return_documents: bool = Field(default=True, description="With their texts.")


@dataclass(frozen=True)
class OpenAIRoutes:
    """Passes requests of OpenAI's API on to the engines.

    Attributes:
        outbound: fetches what requests name by address; no engine does that for them.
        artifacts: where files of requests are kept for engines that do not speak this API.
        workflows: those that answer chats, as further models.
    """

    engines: Router
    outbound: Outbound
    artifacts: Artifacts
    workflows: WorkflowModels | None = None

    def ways(self) -> list[Way]:
        """Give the addresses."""
        use, see = Permission.INFERENCE_USE, Permission.MODEL_READ
        absent = About(errors=(ModelNotFound,))
        ranks = About(body=Rerank, example=_RERANKS, errors=_FAILING, passes_on=True)
        return [
            Way("GET", "/v1/models", self.models, see),
            Way("GET", "/v1/models/{id:path}", self.model, see, about=absent),
            Way("GET", "/v1/audio/voices", self.voices, see),
            *(
                Way("POST", f"{version}/rerank", self.rerank, use, MOST_BYTES, about=ranks)
                for version in ("/v1", "/v2", "")
            ),
            *(_way(path, partial(self.ask, path), ASKED[path], MOST_BYTES) for path in ASKED),
            *(_way(path, partial(self.send, path), SENT[path], MOST_UPLOAD_BYTES) for path in SENT),
        ]

    async def models(self, _: Request) -> Response:
        """List the models of all engines, each name once."""
        cards = {card.name: card for card in reversed(await self.engines.models())}
        listed = [_listed(card) for card in reversed(cards.values())]
        names = await self.workflows.names() if self.workflows else ()
        listed += [_owned(name) for name in names]
        return JSONResponse({"object": "list", "data": listed})

    async def model(self, request: Request) -> Response:
        """Tell of one model, by its name or another one that leads to it."""
        name = request.path_params["id"]
        if self.workflows and name.startswith(PREFIX) and name in await self.workflows.names():
            return JSONResponse(_owned(name))
        for model_type in get_args(ModelType):
            try:
                [card, *_] = await self.engines.directory.serving(name, model_type)
            except ModelNotFound:
                continue
            return JSONResponse(_listed(card) | {"id": name, "root": card.name})
        raise ModelNotFound(f"no engine serves {name!r}; `/v1/models` lists what there is")

    async def voices(self, _: Request) -> Response:
        """List the voices of all engines."""
        voices = await self.engines.voices()
        return JSONResponse({"voices": [{"id": v.name, **v.model_dump()} for v in voices]})

    async def rerank(self, request: Request) -> Response:
        """Put texts into the order in which they answer a query."""
        asked = await read(request, Rerank)
        wanted = RerankRequest(
            model=asked.model, query=asked.query, documents=asked.documents, top_n=asked.top_n
        )
        reply = await while_heard(request, self.engines.rerank(wanted))
        results = [
            {"index": ranked.index, "relevance_score": ranked.score}
            | ({"document": _document(ranked.document)} if asked.return_documents else {})
            for ranked in reply.results
        ]
        told = {"id": f"rerank-{secrets.token_hex(8)}", "model": reply.model, "results": results}
        usage = {"usage": reply.usage.model_dump()} if reply.usage else {}
        return JSONResponse(told | usage)

    async def ask(self, path: str, request: Request) -> Response:
        """Pass on what is asked with JSON."""
        body = await read_object(request)
        model = accept(_Named.model_validate, body, what="the request").model
        if self.workflows and model.startswith(PREFIX) and path == "chat/completions":
            return await self.workflows.chat(request, body)
        await while_heard(request, bring_in(body, self.outbound))
        tells = True
        if path in ("chat/completions", "completions") and body.get("stream") is True:
            options = body.get("stream_options")
            options = options if isinstance(options, dict) else {}
            tells = options.get("include_usage") is True
            body["stream_options"] = options | {"include_usage": True}
        kind: ModelType = "vlm" if path == "chat/completions" and _sees(body) else ASKED[path].to
        wanted = RelayRequest(model=model, path=path, body=body)
        return Relayed(
            partial(self._any.relay, wanted, kind),
            _spent(request),
            closing=(DONE if "completions" in path else b"",),
            tells_usage=tells,
        )

    async def send(self, path: str, request: Request) -> Response:
        """Pass on a form with its files."""
        held = AsyncExitStack()
        form = await held.enter_async_context(request.form(max_files=4, max_fields=MOST_FIELDS))
        texts: dict[str, object] = {}
        for name in form:
            values = [value for value in form.getlist(name) if isinstance(value, str)]
            if values:
                texts[name] = values if name.endswith("[]") else values[-1]
        uploads = tuple(
            Upload(name, f.filename or "file", f.content_type or "application/octet-stream", f.file)
            for name, f in form.multi_items()
            if isinstance(f, UploadFile)
        )
        model = accept(_Named.model_validate, texts, what="the form").model
        await while_heard(request, bring_in(texts, self.outbound))
        wanted = RelayRequest(model=model, path=path, body=texts, uploads=uploads)
        return _Holding(
            Relayed(partial(self._any.relay, wanted, SENT[path].to), _spent(request)), held
        )

    @cached_property
    def _any(self) -> Translated:
        return Translated(self.engines, self.artifacts)


def _way(path: str, call: Endpoint, passed: Passed, most_bytes: int) -> Way:
    about = About(
        summary=passed.summary,
        example={"model": "default", **passed.example},
        takes=(FORM,) if path in SENT else (),
        gives=_GIVES.get(path, (JSON,)),
        errors=_FAILING,
        passes_on=True,
    )
    return Way("POST", f"/v1/{path}", call, Permission.INFERENCE_USE, most_bytes, about=about)


class _Named(BaseModel):
    """Whatever is asked names a model."""

    model: str = Field(default="default", min_length=1, max_length=500)


class _Holding(Response):
    """An answer that needs something until it is sent."""

    def __init__(self, answer: Response, held: AsyncExitStack) -> None:
        self._answer = answer
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, then let go."""
        async with self._held:
            await self._answer(scope, receive, send)


def _sees(body: Mapping[str, Any]) -> bool:
    """Tell whether a chat has pictures in it."""
    messages = body.get("messages")
    contents = (
        [m.get("content") for m in messages if isinstance(m, dict)]
        if isinstance(messages, list)
        else []
    )
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)


def _spent(request: Request) -> Spent:
    """Let the access log tell what this request will have cost."""
    spent = Spent()
    request.scope[SPENT] = spent
    return spent


def _document(given: str | dict[str, object]) -> dict[str, object]:
    return {"text": given} if isinstance(given, str) else given


def _owned(workflow: str) -> dict[str, object]:
    told = {"object": "model", "created": 0, "owned_by": "aima", "type": "llm"}
    return {"id": workflow, **told}


def _listed(card: ModelCard) -> dict[str, object]:
    told = card.model_dump(exclude={"name", "engine"}, exclude_none=True)
    return {"id": card.name, "object": "model", "created": 0, "owned_by": card.engine, **told}
