"""Answers of workflows that are models, as if an engine of chats gave them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from aima.gateway.openai.workflow_models import WorkflowModels
from aima.ports.inference import Outlet

WHO = "aima"
"""Answers where no engine does."""


async def ask_workflow(
    workflows: WorkflowModels, request: Request, chat: dict[str, Any], outlet: Outlet
) -> None:
    """Chat with a workflow; ``outlet`` gets the answer, in a stream as the run goes on."""
    told = await workflows.chat(request, chat)
    outlet.begin(WHO, str(chat["model"]), told.media_type or "")
    if isinstance(told, StreamingResponse):
        async for piece in told.body_iterator:
            await outlet.write(piece.encode() if isinstance(piece, str) else bytes(piece))
    else:
        await outlet.write(bytes(told.body))
    await outlet.end()
