"""The page of engines: what each kind can do, read off the classes that speak to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic.fields import FieldInfo

from aima.gateway.reference.pages import table
from aima.ports.engine import ABILITIES
from aima.ports.engine_lifecycle import LIFECYCLE, Product
from aima.ports.engine_running import Recipe, Starts

_HEAD = """# Engines

`[engines.NAME] kind = …` tells AIMA which product listens at `url`; how to connect one is a
[page of its own](../how-to/connect-an-engine.md). This page is written from the classes that speak
to them. The tests run the embedded engine and llama.cpp's own server; the other products are played
by fakes (`aima.testing.engines`). The libraries `openai`, `ollama` and `huggingface_hub` can talk
to those of `openai`, `vllm`, `sglang`, `video`, `ollama`, `tei`, `hf_inference` and `hf_endpoint`.
`aima exec engine.get -i name=NAME` tells how an engine is now.
"""
_UNITS = """
## What it is asked for

The columns are the units `inference.…`. When a run is cancelled, its work stops at the engine: a
stream is closed, `a1111` and `comfyui` are interrupted, a film's job is deleted. `sglang` forgets a
deleted job, but makes its film to the end; `sdcpp` takes a job out of its line, but not from work.
"""
_BESIDE = """
## What else may be done with it

* `install`, `start`, `stop`: AIMA runs it on this machine, where `[engines.NAME.run]` says how:
  `engine.install`, `engine.start`, `engine.stop`, `engine.restart`.
* `load`, `unload`: models come and go by request: `engine.load`, `engine.unload`.
* `sleep`: it gives its devices' memory back without ending: `engine.sleep`, `engine.wake`.
* `version`, `metrics`, `capacity`, `estimate_memory` are told by `engine.get`, each model's memory
  with it.
* `pull`: it fetches models itself: `engine.load` with `pull: true`.
"""
_RUN = """
## How AIMA runs it

`[engines.NAME.run] way = …` is one of the columns; `image`, `version`, `model`, `arguments` and
`environment` may be said beside it. Of an image in Docker's registry the tag is `version`; another
is named whole by `image`. A program must be here already, and any kind can be started by a
`command` of its user's own. What was run for this page: the package of `llamacpp`. The other
commands are those of the products' documentation and were not run here. Tests run containers on a
fake of Docker's engine (`aima.testing.docker`), which the `docker` program can talk to; by hand
they were run on Podman 4.3.
"""
_START = """
## How it is started without AIMA

As its own documentation says.
"""
_NOT = "not supported"
_FAKES = """
## Fakes of them

`python -m aima.testing.engines KIND --set KNOB=VALUE` runs a fake, `aima.testing.engines.fake` runs
one inside a test. Its knobs may be turned while it runs, by `engine.faults.KNOB = …` or by JSON
sent to `/__faults`.
"""


def engine_page(kinds: Mapping[str, type], knobs: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Give the lines of the page; ``knobs`` are those of the fakes."""
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
    yield _RUN
    startable = [kind for kind, cls in kinds.items() if issubclass(cls, Starts)]
    ways = ((f"`{kind}`", *_ways(products[kind].recipe)) for kind in startable)
    yield from table(("kind", "container", "package", "program"), ways)
    yield _START
    started = {kind: product for kind, product in products.items() if product.start}
    yield from table(
        ("kind", "command", "port"),
        (
            (f"`{kind}`", f"`{product.start}`", str(product.port or "any"))
            for kind, product in started.items()
        ),
    )
    yield _FAKES
    yield from table(
        ("knob", "by default", "what it does"),
        (
            (f"`{name}`", f"`{knob.default}`", knob.description or "")
            for name, knob in knobs.items()
        ),
    )


def _ways(recipe: Recipe) -> Iterator[str]:
    """Tell how a product can be run, in the order of the columns."""
    container, package, program = recipe.container, recipe.package, recipe.program
    where = f" ({container.registry})" if container and container.registry else ""
    yield f"`{container.image}`{where}" if container else _NOT
    licence = f" ({package.licence})" if package and package.licence else ""
    yield f"`{package.name}`{licence}" if package else _NOT
    yield f"`{' '.join(program.command)}`" if program else "your own `command`"


def _matrix(kinds: Mapping[str, type], protocols: Mapping[str, type]) -> Iterator[str]:
    rows = (
        (
            f"`{kind}`",
            *("●" if issubclass(cls, protocol) else "" for protocol in protocols.values()),
        )
        for kind, cls in kinds.items()
    )
    yield from table(("kind", *protocols), rows)
