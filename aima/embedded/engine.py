"""The engine: which models it serves, under which names, and what each is doing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

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

Service = Chat | Transcription | Speaking
S = TypeVar("S", Chat, Transcription, Speaking)
GROUP = "embedded"


class Engine:
    """All embedded models of one process. Making it loads nothing."""

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        """Serve the models of the manifest's group ``embedded`` out of ``store``."""
        self._settings = settings
        self.store = store
        self.threads = settings.embedded.threads or max(1, (os.cpu_count() or 2) - 1)
        self.services = {
            model.name: service
            for model in store.manifest.group(GROUP)
            if (service := self._service(model))
        }

    def named(self, name: str, kind: type[S]) -> S:
        """Find the service of a model by its name or as ``default``.

        Raises:
            ModelNotFound: no model of that kind has this name; the message lists those that do.
        """
        fitting = {
            model: service for model, service in self.services.items() if isinstance(service, kind)
        }
        if name == "default":
            first = next(iter(fitting.values()))
            wanted = self._settings.models.default.get(first.resident.model.type, "")
            return fitting.get(wanted, first)
        if name not in fitting:
            names = ", ".join(["default", *fitting])
            raise ModelNotFound(f"no embedded model is called {name!r} here; there are: {names}")
        return fitting[name]

    def _service(self, model: Model) -> Service | None:
        turns = Turns(model.name)
        embedded = self._settings.embedded
        if model.type == "llm":
            start = partial(
                LlamaServer.start,
                name=model.name,
                threads=self.threads,
                context_tokens=embedded.context_tokens,
            )
            llm = Resident(model, self.store, start)
            return Chat(llm, turns, embedded.max_tokens, embedded.context_tokens)
        executor = ThreadPoolExecutor(1, thread_name_prefix=model.name)
        if model.type == "asr":
            asr = Resident(model, self.store, partial(Whisper.load, threads=self.threads))
            return Transcription(asr, turns, executor)
        if model.type == "tts":
            return Speaking(Resident(model, self.store, self._voice), turns, executor)
        return None

    def _voice(self, folder: Path) -> object:
        from aima.embedded.speech.kokoro import Kokoro

        return Kokoro.load(folder, threads=self.threads)
