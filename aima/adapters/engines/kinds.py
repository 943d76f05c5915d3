"""Which class speaks to which product: what ``[engines.NAME] kind`` means."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import httpx2

from aima.adapters.engines.comfyui import ComfyEngine
from aima.adapters.engines.diffusion import A1111Engine
from aima.adapters.engines.huggingface import TeiEngine, TgiEngine
from aima.adapters.engines.huggingface_tasks import HubEndpoint, HubInference
from aima.adapters.engines.llamacpp import LlamaCppEngine
from aima.adapters.engines.ollama import OllamaEngine
from aima.adapters.engines.openai import OpenAIEngine
from aima.adapters.engines.rerank import RerankEngine
from aima.adapters.engines.running.docker import Docker
from aima.adapters.engines.running.setup import setup_of
from aima.adapters.engines.running.startable import Startable, local_of
from aima.adapters.engines.sdcpp import SdCppEngine
from aima.adapters.engines.server import EngineServer
from aima.adapters.engines.sglang import SglangEngine
from aima.adapters.engines.transformers import TransformersEngine
from aima.adapters.engines.tts import KokoroEngine, PiperEngine
from aima.adapters.engines.video import VideoEngine
from aima.adapters.engines.vllm import VllmEngine
from aima.adapters.engines.whisper import SpeachesEngine, WhisperCppEngine
from aima.errors import ValidationFailed
from aima.ports.artifacts import Artifacts
from aima.settings import Engine, EngineKind

KINDS: dict[EngineKind, type[EngineServer]] = {
    "a1111": A1111Engine,
    "comfyui": ComfyEngine,
    "hf_endpoint": HubEndpoint,
    "hf_inference": HubInference,
    "kokoro": KokoroEngine,
    "llamacpp": LlamaCppEngine,
    "ollama": OllamaEngine,
    "openai": OpenAIEngine,
    "piper": PiperEngine,
    "rerank": RerankEngine,
    "sdcpp": SdCppEngine,
    "sglang": SglangEngine,
    "speaches": SpeachesEngine,
    "tei": TeiEngine,
    "tgi": TgiEngine,
    "transformers": TransformersEngine,
    "video": VideoEngine,
    "vllm": VllmEngine,
    "whispercpp": WhisperCppEngine,
}
_OPTIONS = ("context_tokens", "graph", "serves", "type")
"""Settings that only some of them take."""


@dataclass(frozen=True)
class Machine:
    """What engines that AIMA starts need to know of this machine.

    Attributes:
        data: the folder of everything AIMA keeps.
        docker: whoever runs containers here.
        wheels: a folder of packages that are tried before any network.
    """

    data: Path
    docker: Docker = field(default_factory=Docker)
    wheels: Path | None = None


def engine_of(
    name: str,
    told: Engine,
    http: httpx2.AsyncClient,
    artifacts: Artifacts,
    machine: Machine | None = None,
) -> EngineServer:
    """Make the client of a configured engine; without a machine it is not started from here.

    Raises:
        ValidationFailed: something is set that this kind of engine has no use for.
    """
    cls, url = KINDS[told.kind], told.url.rstrip("/")
    if told.kind != "openai":  # of which only its user knows where its API starts
        url = url.removesuffix("/v1") + "/v1"
    taken = {field.name for field in fields(cls)}
    more = {key: getattr(told, key) for key in _OPTIONS if key in told.model_fields_set}
    if told.run and not issubclass(cls, Startable):
        more["run"] = told.run
    if unused := more.keys() - taken:
        raise ValidationFailed(
            f"setting 'engines.{name}': {', '.join(sorted(unused))} means nothing to an engine of "
            f"kind {told.kind!r}; leave it out"
        )
    setup = setup_of(name, told, cls.PRODUCT, machine.data) if machine else None
    if machine and setup:
        more["local"] = local_of(setup, machine.docker, machine.wheels)
    return cls(name, url, http, artifacts, told.api_key.get_secret_value(), **more)
