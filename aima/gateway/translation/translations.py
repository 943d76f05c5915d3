"""How each thing that OpenAI's API asks is asked of an engine that does not speak it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aima.gateway.translation import completions, embeddings
from aima.gateway.translation.chats import Chats
from aima.gateway.translation.pictures import Pictures
from aima.gateway.translation.recordings import Recordings
from aima.gateway.translation.speech import Speech
from aima.ports import engine
from aima.ports.artifacts import Artifacts
from aima.ports.translation import Translation


def translations(artifacts: Artifacts) -> Mapping[str, Translation]:
    """Give them by their path below `/v1`.

    Args:
        artifacts: where files of requests and answers are kept.
    """
    able: dict[str, tuple[type, Any]] = {
        "chat/completions": (engine.Chats, Chats(artifacts).ask),
        "completions": (engine.Completes, completions.ask),
        "embeddings": (engine.Embeds, embeddings.ask),
        "audio/transcriptions": (engine.Transcribes, Recordings(artifacts).ask),
        "audio/translations": (engine.Transcribes, Recordings(artifacts, english=True).ask),
        "audio/speech": (engine.Speaks, Speech(artifacts).ask),
        "images/generations": (engine.Draws, Pictures(artifacts).ask),
        "images/edits": (engine.Draws, Pictures(artifacts, from_picture=True).ask),
    }
    return {path: Translation(ability, ask) for path, (ability, ask) in able.items()}
