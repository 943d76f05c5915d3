"""The engines that serve models: what there is, how it is, and what may be done with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeVar

from pydantic import BaseModel, Field

from aima import engine_events
from aima.errors import (
    Conflict,
    EngineNotRunning,
    ExecutionFailed,
    InsufficientResources,
    ModelNotFound,
    NotFound,
    RateLimited,
    TimedOut,
    ValidationFailed,
)
from aima.ports.engine import Loads, Unloads
from aima.ports.engine_lifecycle import (
    EngineCard,
    EngineFeatures,
    EngineReport,
    Pulls,
    Sleeps,
)
from aima.ports.engine_running import Wish
from aima.ports.inference import Request
from aima.unit import Context, Domain, Example, Members

engine = Domain("engine")

LOOK = timedelta(minutes=3)
LONG = timedelta(hours=2)
ERRORS = (NotFound, ValidationFailed, EngineNotRunning, ExecutionFailed, TimedOut, RateLimited)

Able = TypeVar("Able")


class EnginesRequest(Request):
    """Which engines to list."""

    type: str | None = Field(default=None, description="Only engines of this kind.")
    status: Literal["running", "sleeping", "starting", "stopped"] | None = Field(
        default=None, description="Only engines that are so."
    )


class EngineList(BaseModel):
    """Engines, in the order in which they are asked."""

    items: list[EngineCard]


class EngineRequest(Request):
    """Which engine."""

    name: str = Field(description="As the configuration calls it, or `embedded`.")


class GetRequest(EngineRequest):
    """Which engine, and how closely to look."""

    probe: bool = Field(
        default=False, description="Ask each of its models for the least that it can do."
    )


class ModelOfEngine(EngineRequest):
    """A model of an engine."""

    model: str = Field(description="As the engine calls it.")


class LoadRequest(ModelOfEngine):
    """A model to bring in."""

    pull: bool = Field(
        default=False, description="Fetch it first, where the engine can; what is there stays."
    )


class SleepRequest(EngineRequest):
    """An engine to rest."""

    keep_weights: bool = Field(
        default=True, description="They wait in the machine's own memory, and come back sooner."
    )


class InstallRequest(EngineRequest):
    """An engine to bring to this machine."""

    version: str = Field(
        default="",
        max_length=128,
        description="Of its package, or the tag of its image. Empty: as the settings say, or for "
        "a package the newest.",
    )


class Installed(BaseModel):
    """It is here."""

    success: bool = True
    path: str = Field(description="The environment's folder, the image, or the program.")
    version: str | None = Field(default=None, description="Of a package.")


class StartConfig(Request):
    """What may differ from start to start; all else is in the settings of who runs the machine."""

    model: str = Field(
        default="", max_length=4096, description="What it serves. Empty: as the settings say."
    )


class StartRequest(EngineRequest):
    """An engine to start."""

    config: StartConfig = Field(default=StartConfig(), description="What differs this time.")


class Started(BaseModel):
    """It runs and answers."""

    process_id: str = Field(description="The number of its process, or its container's id.")
    status: Literal["running"] = "running"


class StopRequest(EngineRequest):
    """An engine to stop."""

    force: bool = Field(default=False, description="At once, whatever it is doing.")
    timeout: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="Seconds to finish what it does; then it is killed. Absent: as the settings "
        "say, 30.",
    )


class Done(BaseModel):
    """It is so now."""

    success: bool = True


@engine.query(
    timeout=LOOK,
    view=True,
    errors=ERRORS,
    examples=(
        Example(
            "What there is",
            {},
            {"items": [{"name": "embedded", "type": "embedded", "status": "running"}]},
            holds=(lambda reply: "embedded" in str(reply["items"]),),
        ),
    ),
)
async def list_(request: EnginesRequest, ctx: Context) -> EngineList:
    """List the engines, and whether they run."""
    cards = await ctx.engines.pool.cards()
    return EngineList(
        items=[
            card
            for card in cards
            if request.type in (None, card.type) and request.status in (None, card.status)
        ]
    )


@engine.query(
    timeout=LONG,
    view=True,
    unless=("probe",),
    errors=ERRORS,
    examples=(
        Example(
            "The embedded engine",
            {"name": "embedded"},
            {
                "name": "embedded",
                "type": "embedded",
                "status": "running",
                "capabilities": ["chat", "embed", "detect"],
                "models": [],
            },
            holds=(lambda reply: "smollm2" in str(reply["models"]).lower(),),
        ),
    ),
)
async def get(request: GetRequest, ctx: Context) -> EngineReport:
    """Tell how an engine is: its version, its models, what it counts, whether they answer."""
    prove = ctx.artifacts if request.probe else None
    return await ctx.engines.pool.report(request.name, prove=prove)


@engine.query(
    view=True,
    errors=ERRORS,
    examples=(
        Example(
            "What the embedded engine can do",
            {"name": "embedded"},
            {
                "supports_streaming": True,
                "supports_batch": True,
                "capabilities": ["chat", "embed", "detect"],
                "lifecycle": ["load"],
                "types": ["llm", "embedding", "detection"],
                "formats": ["gguf", "onnx"],
            },
            holds=(lambda reply: "detect" in str(reply["capabilities"]),),
        ),
    ),
)
async def features(request: EngineRequest, ctx: Context) -> EngineFeatures:
    """Tell what an engine can do, whether or not it runs."""
    return ctx.engines.pool.features(request.name)


@engine.command(
    idempotent=True,
    timeout=LONG,
    errors=(*ERRORS, Conflict, InsufficientResources),
    examples=(
        Example(
            "A version that stays",
            {"name": "llama", "version": "2026.10.11549"},
            {"success": True, "path": "…/engines/llama/environments/xllamacpp==2026.10.11549"},
            fails=NotFound,
        ),
    ),
)
async def install(request: InstallRequest, ctx: Context) -> Installed:
    """Bring an engine to this machine: its package or its image; what is here stays."""
    found = await ctx.engines.pool.install(request.name, request.version, progress=ctx.progress)
    return Installed(path=found.path, version=found.version)


@engine.command(
    idempotent=True,
    timeout=LONG,
    errors=(*ERRORS, Conflict, InsufficientResources),
    emits=engine_events.TOLD,
    examples=(
        Example(
            "Until it answers",
            {"name": "llama"},
            {"process_id": "4711", "status": "running"},
            fails=NotFound,
        ),
    ),
)
async def start(request: StartRequest, ctx: Context) -> Started:
    """Start an engine on this machine, installing it first if need be, and wait until it answers.

    One that runs goes on. What fails or is cancelled on the way is taken back.
    """
    wish = Wish(by=ctx.effect_key, model=request.config.model)
    return Started(process_id=await engine_events.start(ctx, request.name, wish))


@engine.command(
    idempotent=True,
    destructive=True,
    timeout=LONG,
    errors=(*ERRORS, Conflict),
    emits=engine_events.TOLD,
    examples=(Example("When it is done", {"name": "llama"}, {"success": True}, fails=NotFound),),
)
async def stop(request: StopRequest, ctx: Context) -> Done:
    """Let an engine that AIMA has started finish what it does, then end it."""
    await engine_events.stop(ctx, request.name, 0 if request.force else request.timeout)
    return Done()


@engine.command(
    idempotent=True,  # an attempt finds what the one before has started
    repeatable=False,
    destructive=True,
    timeout=LONG,
    errors=(*ERRORS, Conflict, InsufficientResources),
    emits=engine_events.TOLD,
    examples=(
        Example(
            "With other settings",
            {"name": "llama"},
            {"process_id": "4712", "status": "running"},
            fails=NotFound,
        ),
    ),
)
async def restart(request: StartRequest, ctx: Context) -> Started:
    """Stop an engine, and start it with what the settings say now."""
    wish = Wish(by=ctx.effect_key, model=request.config.model, afresh=True)
    return Started(process_id=await engine_events.start(ctx, request.name, wish))


@engine.command(
    idempotent=True,
    timeout=LONG,
    errors=(*ERRORS, ModelNotFound, InsufficientResources),
    examples=(
        Example(
            "Before the first question",
            {"name": "ollama", "model": "llama3.2"},
            {"success": True},
            fails=NotFound,
        ),
    ),
)
async def load(request: LoadRequest, ctx: Context) -> Done:
    """Bring a model into memory, so that its first answer comes at once."""
    if request.pull:
        puller = _able(ctx, request.name, Pulls, "pull")
        await puller.pull(request.model, progress=ctx.progress)
    loader = _able(ctx, request.name, Loads, "load")
    await loader.load(request.model, progress=ctx.progress)
    return Done()


@engine.command(
    idempotent=True,
    errors=(*ERRORS, ModelNotFound),
    examples=(
        Example(
            "Make room",
            {"name": "ollama", "model": "llama3.2"},
            {"success": True},
            fails=NotFound,
        ),
    ),
)
async def unload(request: ModelOfEngine, ctx: Context) -> Done:
    """Take a model out of memory; the next question brings it back."""
    await _able(ctx, request.name, Unloads, "unload").unload(request.model)
    return Done()


@engine.command(
    idempotent=True,
    errors=ERRORS,
    examples=(
        Example("Give the GPU to another", {"name": "vllm"}, {"success": True}, fails=NotFound),
    ),
)
async def sleep(request: SleepRequest, ctx: Context) -> Done:
    """Have an engine give its devices' memory back without ending."""
    sleeper = _able(ctx, request.name, Sleeps, "sleep")
    await sleeper.sleep(keep_weights=request.keep_weights)
    return Done()


@engine.command(
    idempotent=True,
    errors=ERRORS,
    examples=(Example("Go on", {"name": "vllm"}, {"success": True}, fails=NotFound),),
)
async def wake(request: EngineRequest, ctx: Context) -> Done:
    """Bring an engine back that sleeps."""
    await _able(ctx, request.name, Sleeps, "wake").wake()
    return Done()


engine.resource("asms://engine/{name}", get, "An engine: its version, models and counts")
engine.resource(
    "asms://engines/status",
    list_,
    "All engines, and whether they run",
    members=Members("items", "name", "asms://engine/{name}"),
)


def _able(ctx: Context, name: str, ability: type[Able], verb: str) -> Able:
    """Give an engine that can do this.

    Raises:
        NotFound: there is no such engine.
        ValidationFailed: it cannot.
    """
    found = ctx.engines.pool.named(name)
    if not isinstance(found, ability):
        can = ", ".join(ctx.engines.pool.features(name).lifecycle) or "nothing of the kind"
        raise ValidationFailed(f"engine {name!r} cannot {verb}; beside answering it can: {can}")
    return found
