"""The page of engines: what each kind can do, read off the classes that speak to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aima.gateway.pages import table
from aima.ports.engine import ABILITIES
from aima.ports.engine_lifecycle import LIFECYCLE, Product

_HEAD = """# Engines

`[engines.NAME] kind = …` tells AIMA which product listens at `url`; how to connect one is a
[page of its own](../how-to/connect-an-engine.md). This page is written from the classes that speak
to them. The tests run the embedded engine and llama.cpp's own server; the other products are played
by fakes (`aima.testing.engines`). The libraries `openai`, `ollama` and `huggingface_hub` can talk
to those of `openai`, `vllm`, `sglang`, `video`, `ollama`, `tei`, `hf_inference` and `hf_endpoint`.
Commands to start an engine are those of its documentation and were not run here. `aima exec
engine.get -i name=NAME` tells how an engine is now.
"""
_UNITS = """
## What it is asked for

The columns are the units `inference.…`. When a run is cancelled, its work stops at the engine: a
stream is closed, `a1111` and `comfyui` are interrupted, a film's job is deleted. `sglang` forgets a
deleted job, but makes its film to the end; `sdcpp` takes a job out of its line, but not from work.
"""
_BESIDE = """
## What else may be done with it

* `load`, `unload`: models come and go by request: `engine.load`, `engine.unload`.
* `sleep`: it gives its devices' memory back without ending: `engine.sleep`, `engine.wake`.
* `version`, `metrics`, `estimate_memory` are told by `engine.get`, each model's memory with it.
* `pull`: it fetches models itself: `engine.load` with `pull: true`.
"""
_START = """
## How it is started

AIMA does not start these; this is how their own documentation does.
"""


def engine_page(kinds: Mapping[str, type]) -> Iterator[str]:
    """Give the lines of the page."""
    products: dict[str, Product] = {kind: vars(cls)["PRODUCT"] for kind, cls in kinds.items()}
    yield _HEAD
    rows = (
        (
            f"`{kind}`",
            product.title,
            ", ".join(f"`{type_}`" for type_ in product.types),
            ", ".join(product.formats) or "its own",
            "several" if product.many else "one",
        )
        for kind, product in products.items()
    )
    yield from table(("kind", "product", "types of models", "formats", "at once"), rows)
    yield _UNITS
    yield from _matrix(kinds, ABILITIES)
    yield _BESIDE
    yield from _matrix(kinds, LIFECYCLE)
    yield _START
    started = {kind: product for kind, product in products.items() if product.start}
    yield from table(
        ("kind", "command", "port"),
        (
            (f"`{kind}`", f"`{product.start}`", str(product.port or "any"))
            for kind, product in started.items()
        ),
    )


def _matrix(kinds: Mapping[str, type], protocols: Mapping[str, type]) -> Iterator[str]:
    rows = (
        (
            f"`{kind}`",
            *("●" if issubclass(cls, protocol) else "" for protocol in protocols.values()),
        )
        for kind, cls in kinds.items()
    )
    yield from table(("kind", *protocols), rows)
