"""The engine: which models it serves, under which names, and what each is doing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psutil

from aima.embedded.chat import Chat
from aima.embedded.describe import Perception
from aima.embedded.detect import Detection
from aima.embedded.draw import Drawing
from aima.embedded.embed import Embedding, Reading, Reranking
from aima.embedded.llama import LlamaServer
from aima.embedded.minilm import MiniLM
from aima.embedded.resident import Resident
from aima.embedded.speak import Speaking
from aima.embedded.transcribe import Transcription
from aima.embedded.turns import Turns
from aima.embedded.vision.nanodet import NanoDet
from aima.embedded.vision.ocr import TextReader
from aima.embedded.whisper import Whisper
from aima.errors import ModelNotFound
from aima.models.manifest import Model
from aima.models.store import ModelStore
from aima.settings import Settings

if TYPE_CHECKING:
    from aima.embedded.speech.kokoro import Kokoro

Service = Chat | Transcription | Speaking | Embedding | Reranking | Detection | Perception | Drawing
S = TypeVar(
    "S", Chat, Transcription, Speaking, Embedding, Reranking, Detection, Perception, Drawing
)
GROUP = "embedded"


class Engine:
    """All embedded models of one process. Making it loads nothing."""

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        """Serve the models of the manifest's group ``embedded`` out of ``store``."""
        self.store = store
        self.threads = settings.embedded.threads or max(1, _cores() - 1)
        self._settings = settings
        self.services: dict[str, Service] = {}
        for model in store.manifest.group(GROUP):
            # What a model uses stands before it.
            self.services[model.name] = self._service(model)

    def named(self, name: str, kind: type[S]) -> S:
        """Find the service of a model by its name, or the one that ``default`` means.

        Raises:
            ModelNotFound: no model of that kind has this name; the message lists those that do.
        """
        fitting: dict[str, S] = {
            model: service for model, service in self.services.items() if isinstance(service, kind)
        }
        if name == "default" and fitting:
            first = next(iter(fitting.values()))
            chosen = self._settings.models.default.get(first.model.type, "")
            return fitting.get(chosen, first)
        if name not in fitting:
            names = ", ".join(["default", *fitting])
            raise ModelNotFound(f"no model for this is called {name!r}; there are: {names}")
        return fitting[name]

    async def load(self, name: str) -> None:
        """Bring a model into memory before it is asked for anything.

        Raises:
            ModelNotFound: there is none of that name.
            AimaError: it cannot be fetched or loaded.
        """
        if (service := self.services.get(name)) is None:
            there = ", ".join(self.services)
            raise ModelNotFound(f"no model is called {name!r}; there are: {there}")
        if isinstance(service, Embedding | Reranking | Drawing):
            await service.reading.resident.get()
        else:
            await service.resident.get()

    def _service(self, model: Model) -> Service:
        turns = Turns(model.name)
        if model.type == "llm":
            return self._chat(model, turns)
        executor = ThreadPoolExecutor(1, thread_name_prefix=model.name)
        if model.type == "asr":
            asr = Resident(model, self.store, partial(Whisper.load, threads=self.threads))
            return Transcription(model, asr, turns, executor)
        if model.type == "tts":
            voice = Resident(model, self.store, self._voice)
            return Speaking(model, voice, turns, executor)
        return self._reader(model, turns, executor)

    def _reader(self, model: Model, turns: Turns, executor: ThreadPoolExecutor) -> Service:
        if model.type == "embedding":
            minilm = Resident(model, self.store, partial(MiniLM.load, threads=self.threads))
            return Embedding(model, Reading(minilm, turns, executor))
        if model.type == "rerank":
            return Reranking(model, self.named("default", Embedding).reading)
        if model.type == "diffusion":
            reading = self.named("default", Embedding).reading
            return Drawing(model, reading, turns, executor)
        return self._looker(model, turns, executor)

    def _looker(self, model: Model, turns: Turns, executor: ThreadPoolExecutor) -> Service:
        if model.type == "detection":
            nanodet = Resident(model, self.store, partial(NanoDet.load, threads=self.threads))
            return Detection(model, nanodet, turns, executor)
        if model.type != "vlm":
            raise NotImplementedError(f"the embedded engine knows nothing of {model.type} models")
        reader = Resident(model, self.store, partial(TextReader.load, threads=self.threads))
        detection, chat = self.named("default", Detection), self.named("default", Chat)
        return Perception(model, reader, turns, executor, detection, chat)

    def _chat(self, model: Model, turns: Turns) -> Chat:
        embedded = self._settings.embedded
        context_tokens = min(embedded.context_tokens, model.context_tokens)
        start = partial(
            LlamaServer.start,
            model=model,
            threads=self.threads,
            context_tokens=context_tokens,
        )
        resident = Resident(model, self.store, start)
        return Chat(model, resident, turns, embedded.max_tokens, context_tokens)

    def _voice(self, folder: Path) -> Kokoro:
        from aima.embedded.speech.kokoro import Kokoro

        return Kokoro.load(folder, threads=self.threads)


def _cores() -> int:
    """Count the cores this process may use."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # not on macOS
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1
