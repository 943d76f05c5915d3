"""Which class speaks to which product: what ``[engines.NAME] kind`` means."""

from __future__ import annotations

import httpx2

from aima.adapters.engines.ollama import OllamaEngine
from aima.adapters.engines.openai import OpenAIEngine
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.tei import TeiEngine
from aima.adapters.engines.vllm import VllmEngine
from aima.ports.artifacts import Artifacts
from aima.settings import Engine, EngineKind

KINDS: dict[EngineKind, type[OpenAIServer]] = {
    "ollama": OllamaEngine,
    "openai": OpenAIEngine,
    "tei": TeiEngine,
    "vllm": VllmEngine,
}


def engine_of(
    name: str, told: Engine, http: httpx2.AsyncClient, artifacts: Artifacts
) -> OpenAIServer:
    """Make the client of a configured engine."""
    url, key = told.url.rstrip("/"), told.api_key.get_secret_value()
    if told.kind == "ollama":
        return OllamaEngine(name, url, http, artifacts, key, context_tokens=told.context_tokens)
    return KINDS[told.kind](name, url, http, artifacts, key)
