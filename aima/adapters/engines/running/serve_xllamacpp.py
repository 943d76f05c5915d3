"""llama.cpp's own server out of the package xllamacpp, which has it as a library only.

It runs in that package's environment, where AIMA is not. The options are those of ``llama-server``
that the library offers; the key comes by ``LLAMA_API_KEY``, as there.
"""

from __future__ import annotations

import argparse
import os
import signal
from importlib import import_module
from typing import Any


def options() -> argparse.ArgumentParser:
    """Tell what it may be told."""
    parser = argparse.ArgumentParser(description="llama.cpp's own server", allow_abbrev=False)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("-a", "--alias", default="")
    parser.add_argument("--mmproj", default="")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("-c", "--ctx-size", type=int)
    parser.add_argument("-np", "--parallel", type=int)
    parser.add_argument("-t", "--threads", type=int)
    parser.add_argument("-ngl", "--n-gpu-layers", type=int)
    parser.add_argument("--embeddings", action="store_true")
    parser.add_argument("--reranking", action="store_true")
    parser.add_argument("--metrics", action="store_true")
    return parser


def params_of(told: argparse.Namespace, key: str) -> Any:  # noqa: ANN401 - the library has no types
    """Put it into the library's words."""
    library: Any = import_module("xllamacpp")
    params = library.CommonParams()
    params.model.path, params.hostnames, params.port = told.model, [told.host], told.port
    params.endpoint_metrics = told.metrics
    params.endpoint_props = params.endpoint_slots = True
    params.ui = False
    params.embedding = told.embeddings or told.reranking
    given = {
        "n_ctx": told.ctx_size,
        "n_parallel": told.parallel,
        "n_gpu_layers": told.n_gpu_layers,
        "model_alias": {told.alias} if told.alias else None,
        "api_keys": [key] if key else None,
    }
    for name, value in given.items():
        if value is not None:
            setattr(params, name, value)
    if told.reranking:
        params.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
    if told.mmproj:
        params.mmproj.path = told.mmproj
    if told.threads:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = told.threads
    return params


def main() -> None:
    """Serve until somebody ends this process."""
    params = params_of(options().parse_args(), os.environ.get("LLAMA_API_KEY", ""))
    library: Any = import_module("xllamacpp")
    server = library.Server(params)
    print(f"listening at {server.listening_address}", flush=True)  # noqa: T201 - the log
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # the server's threads have no end
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
