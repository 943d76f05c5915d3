"""llama.cpp, as the HTTP server it brings, inside this process."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xllamacpp import Server

    from aima.models.manifest import Model

QUIET = -1


@dataclass(frozen=True)
class LlamaServer:
    """A running server on loopback that answers only who knows its key.

    It can be reached over HTTP alone and never be stopped (the library offers only a
    destructor): the process must end.
    """

    url: str
    api_key: str
    server: Server = field(repr=False)

    @classmethod
    def start(cls, folder: Path, *, model: Model, threads: int, context_tokens: int) -> LlamaServer:
        """Load ``model.gguf`` of a folder and serve it; about 0.4 s and 250 MB.

        Conversations are written as the manifest says. The template inside the file is never
        run: nothing bounds what one does, and one that calls itself ends the process.
        """
        from xllamacpp import CommonParams, Server

        api_key = secrets.token_urlsafe(24)
        params = CommonParams()
        params.model.path = str(folder / "model.gguf")
        params.model_alias = {model.name}
        params.chat_template = model.chat_template
        params.n_ctx = context_tokens
        params.n_parallel = 1
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        params.verbosity = QUIET
        params.hostnames = ["127.0.0.1"]
        params.api_keys = [api_key]
        params.endpoint_slots = False
        params.ui = False
        params.n_threads_http = 2
        params.cache_ram_mib = 0  # its default keeps up to 8 GB of old conversations
        server = Server(params)
        return cls(server.listening_address, api_key, server)
