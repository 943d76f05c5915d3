"""All engines as if each of them spoke OpenAI's API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aima.gateway.openai.translation import completions, embeddings
from aima.gateway.openai.translation.chats import Chats
from aima.gateway.openai.translation.pictures import Pictures
from aima.gateway.openai.translation.recordings import Recordings
from aima.gateway.openai.translation.speech import Speech
from aima.ports import engine
from aima.ports.artifacts import Artifacts
from aima.ports.inference import ModelType, Outlet, RelayRequest
from aima.ports.translation import Translation
from aima.routing.router import Router


@dataclass(frozen=True)
class Translated:
    """Passes requests on as they are where an engine takes them, and else asks in AIMA's words.

    Attributes:
        artifacts: where files of requests and answers are kept.
    """

    engines: Router
    artifacts: Artifacts

    async def relay(self, request: RelayRequest, model_type: ModelType, answer: Outlet) -> None:
        """Ask an engine; ``answer`` gets what OpenAI's API would give."""
        translation = self._known.get(request.path)
        await self.engines.relay(request, model_type, answer, translation=translation)

    @cached_property
    def _known(self) -> Mapping[str, Translation]:
        kept = self.artifacts
        ways: dict[str, tuple[type, Any]] = {
            "chat/completions": (engine.Chats, Chats(kept).ask),
            "completions": (engine.Completes, completions.ask),
            "embeddings": (engine.Embeds, embeddings.ask),
            "audio/transcriptions": (engine.Transcribes, Recordings(kept).ask),
            "audio/translations": (engine.Transcribes, Recordings(kept, english=True).ask),
            "audio/speech": (engine.Speaks, Speech(kept).ask),
            "images/generations": (engine.Draws, Pictures(kept).ask),
            "images/edits": (engine.Draws, Pictures(kept, from_picture=True).ask),
        }
        return {path: Translation(ability, ask) for path, (ability, ask) in ways.items()}
