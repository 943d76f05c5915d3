"""The engine: which models it serves, under which names, and what each is doing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psutil

from aima.embedded.chat import Chat
from aima.embedded.llama import LlamaServer
from aima.embedded.resident import Resident
from aima.embedded.speak import Speaking
from aima.embedded.transcribe import Transcription
from aima.embedded.turns import Turns
from aima.embedded.whisper import Whisper
from aima.errors import ModelNotFound
from aima.models.manifest import Model
from aima.models.store import ModelStore
from aima.settings import Settings

if TYPE_CHECKING:
    from aima.embedded.speech.kokoro import Kokoro

Service = Chat | Transcription | Speaking
S = TypeVar("S", Chat, Transcription, Speaking)
GROUP = "embedded"


class Engine:
    """All embedded models of one process. Making it loads nothing."""

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        """Serve the models of the manifest's group ``embedded`` out of ``store``."""
        self.store = store
        self.threads = settings.embedded.threads or max(1, _cores() - 1)
        self._settings = settings
        self.services = {
            model.name: service
            for model in store.manifest.group(GROUP)
            if (service := self._service(model))
        }

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
            chosen = self._settings.models.default.get(first.resident.model.type, "")
            return fitting.get(chosen, first)
        if name not in fitting:
            names = ", ".join(["default", *fitting])
            raise ModelNotFound(f"no model for this is called {name!r}; there are: {names}")
        return fitting[name]

    def _service(self, model: Model) -> Service | None:
        turns = Turns(model.name)
        if model.type == "llm":
            return self._chat(model, turns)
        executor = ThreadPoolExecutor(1, thread_name_prefix=model.name)
        if model.type == "asr":
            asr = Resident(model, self.store, partial(Whisper.load, threads=self.threads))
            return Transcription(asr, turns, executor)
        if model.type == "tts":
            return Speaking(Resident(model, self.store, self._voice), turns, executor)
        return None

    def _chat(self, model: Model, turns: Turns) -> Chat:
        embedded = self._settings.embedded
        context_tokens = min(embedded.context_tokens, model.context_tokens)
        start = partial(
            LlamaServer.start,
            name=model.name,
            threads=self.threads,
            context_tokens=context_tokens,
        )
        resident = Resident(model, self.store, start)
        return Chat(resident, turns, embedded.max_tokens, context_tokens)

    def _voice(self, folder: Path) -> Kokoro:
        from aima.embedded.speech.kokoro import Kokoro

        return Kokoro.load(folder, threads=self.threads)


def _cores() -> int:
    """Count the cores this process may use."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # not on macOS
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1
