"""Every setting of AIMA, once: its name, unit, default and meaning.

Values come from, strongest first: the environment (``AIMA_TEMPORAL_ADDRESS`` for
``temporal.address``), the project's ``aima.toml``, the default. The project is the nearest
folder with an ``aima.toml``, from the current one upwards.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from aima.errors import ValidationFailed

PROJECT_FILE = "aima.toml"


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Project(_Group):
    """What the project beside ``aima.toml`` adds to AIMA."""

    activities: bool = Field(
        default=False,
        description="Import the project's own `activities/*.py`. Off, no code of a folder runs "
        "because somebody typed `aima` in it.",
    )


class Temporal(_Group):
    """Which Temporal server carries the runs."""

    address: str = Field(
        default="",
        description="`host:port` of a Temporal server. Empty: AIMA starts its own on loopback.",
    )
    namespace: str = Field(default="default", description="Namespace of the runs.")
    task_queue: str = Field(default="aima", description="Task queue of steps without a `queue`.")
    api_key: SecretStr = Field(default=SecretStr(""), description="API key, if the server asks.")
    tls: bool = Field(default=False, description="Speak TLS. An API key or certificate implies it.")
    tls_ca: Path | None = Field(default=None, description="File with the server's CA, PEM.")
    tls_cert: Path | None = Field(
        default=None, description="File with the client certificate, PEM."
    )
    tls_key: Path | None = Field(default=None, description="File with the client key, PEM.")
    port: int = Field(default=7733, ge=0, le=65535, description="Port of the embedded server.")
    ui_port: int = Field(default=8733, ge=0, le=65535, description="Port of its web page.")
    retention_days: int = Field(default=30, ge=1, description="Days that closed runs are kept.")


class Worker(_Group):
    """How much a worker takes on at once."""

    activities: int = Field(default=100, ge=1, description="Steps that run at once in one worker.")
    workflows: int = Field(default=200, ge=1, description="Workflow tasks at once in one worker.")
    cached_runs: int = Field(
        default=1000, ge=1, description="Runs kept in memory; others are replayed when they move."
    )
    shutdown_seconds: float = Field(
        default=10, ge=0, description="Time for running steps to end when the worker stops."
    )


RoleName: TypeAlias = Literal["viewer", "operator", "author", "admin", "device"]
ModelType: TypeAlias = Literal[
    "llm", "vlm", "asr", "tts", "embedding", "diffusion", "video_gen", "detection", "rerank"
]
EngineKind: TypeAlias = Literal[
    "a1111",
    "comfyui",
    "hf_endpoint",
    "hf_inference",
    "kokoro",
    "llamacpp",
    "ollama",
    "openai",
    "piper",
    "rerank",
    "sdcpp",
    "sglang",
    "speaches",
    "tei",
    "tgi",
    "transformers",
    "video",
    "vllm",
    "whispercpp",
]


class EngineRun(_Group):
    """How AIMA starts an engine on this machine; without it, somebody else does."""

    way: Literal["container", "package", "program"] = Field(
        description="As a container (Docker or Podman), as a package of PyPI in an environment "
        "of its own below `data`, or as a program that is here already."
    )
    model: str = Field(
        default="", description="What it serves: a file or a name, as its own command has it."
    )
    version: str = Field(
        default="",
        description="Version of the package, or tag of the image; an image has no default.",
    )
    image: str = Field(
        default="",
        description="Another image, with its tag or digest; must be said where the product's own "
        "is not in Docker's registry.",
    )
    command: list[str] = Field(
        default=[],
        description="Another program and its arguments, for way `program`; `{model}`, `{host}` "
        "and `{port}` are put in. No shell reads it.",
    )
    arguments: list[str] = Field(default=[], description="Further arguments, one by one.")
    environment: dict[str, SecretStr] = Field(
        default={}, description="Variables it gets; secrets belong here, as commands are visible."
    )
    volumes: dict[Path, str] = Field(
        default={}, description="Folders of this machine that a container may read, and where."
    )
    gpus: bool = Field(default=False, description="Give a container all GPUs.")
    start_seconds: float = Field(
        default=1200, gt=0, description="Time in which it must answer; one that ends fails at once."
    )
    stop_seconds: float = Field(
        default=30, ge=0, description="Time in which it may finish what it does when it is stopped."
    )


class Engine(_Group):
    """One inference engine beside the embedded one."""

    url: str = Field(
        description="Where it listens, such as `http://127.0.0.1:8000`; of kind `openai` where its "
        "API starts, such as `…:8000/v1`."
    )
    kind: EngineKind = Field(
        default="openai",
        description="Which product it is; `openai` is any server that speaks that API. The page "
        "of engines tells what each can do.",
    )
    api_key: SecretStr = Field(default=SecretStr(""), description="Key sent as a bearer token.")
    type: ModelType | None = Field(
        default=None,
        description="What its models are, where it does not tell: `llm`, `vlm`, `asr`, `tts`, "
        "`embedding`, `rerank` …. Absent: any of these, as far as it can.",
    )
    context_tokens: int = Field(
        default=0, ge=0, description="Tokens a chat may hold, for Ollama. 0: the server's choice."
    )
    graph: Path | None = Field(
        default=None,
        description="File with the graph that ComfyUI runs, in its API format; a value that is "
        "exactly `$prompt`, `$steps` … is filled in. Absent: text to picture by any checkpoint.",
    )
    serves: dict[str, ModelType] = Field(
        default_factory=dict,
        description="What its models are, by name, where it keeps no list of them: Hugging Face's "
        'inference API and endpoints. Such as `{"org/model" = "embedding"}`.',
    )
    concurrency: int = Field(
        default=0,
        ge=0,
        description="Requests it bears at once; more wait in line here. 0: it keeps its own line.",
    )
    run: EngineRun | None = Field(
        default=None, description="How AIMA starts it here: `[engines.NAME.run] way = …`."
    )


class Containers(_Group):
    """Who runs containers."""

    address: str = Field(
        default="",
        description="`unix:///…` of Docker or Podman. Empty: DOCKER_HOST, or where they usually "
        "listen.",
    )


class Embedded(_Group):
    """The engine that comes with AIMA."""

    enabled: bool = Field(default=True, description="Offer the embedded models.")
    url: str = Field(
        default="", description="An embedded engine somebody else started. Empty: own."
    )
    threads: int = Field(
        default=0, ge=0, description="Threads for computing. 0: the machine's cores less one."
    )
    idle_seconds: float = Field(
        default=300, gt=0, description="Silence after which the models leave memory."
    )
    max_tokens: int = Field(default=256, ge=1, description="Tokens of an answer unless asked.")
    context_tokens: int = Field(default=4096, ge=256, description="Tokens a chat may hold.")


class Models(_Group):
    """Which model a name means, and where models come from."""

    default: dict[str, str] = Field(
        default={},
        description="Model that `default` means, by type: `llm`, `vlm`, `asr`, `tts`, "
        "`embedding` …. An absent type means the first model of that type.",
    )
    aliases: dict[str, str] = Field(
        default={
            "llama3.2": "default",
            "whisper-large-v3": "default",
            "whisper-1": "default",
            "tts-1": "default",
            "text-embedding-3-small": "default",
            "rerank-1": "default",
            "llava": "default",
        },
        description="Other names of models. The ones given by default let files of the earlier "
        "system run on the embedded engine; a served model of that name always wins.",
    )
    mirror: Path | None = Field(
        default=None, description="Folder with model files or wheels, tried before any network."
    )


class Streams(_Group):
    """Where a worker shows answers while they are made; `aima up` tells its own worker."""

    url: str = Field(default="", description="Door of the AIMA that shows them. Empty: nowhere.")
    token: SecretStr = Field(default=SecretStr(""), description="Lets a worker show something.")


class Artifacts(_Group):
    """Where bytes live."""

    inline_bytes: int = Field(
        default=65_536,
        ge=1024,
        le=131_072,
        description="Larger JSON values leave Temporal for the store.",
    )
    max_bytes: int = Field(default=2 * 1024**3, ge=1, description="Largest single artifact.")


class Files(_Group):
    """Which files `resource.load` may read."""

    roots: list[Path] | None = Field(
        default=None,
        description="Folders whose files may be read, in this order. Absent: the project's own. "
        "What AIMA ships may always be read.",
    )
    max_bytes: int = Field(
        default=64 << 20, ge=1, description="The most that one step may read, in all."
    )


class Media(_Group):
    """How much the pictures and films of strangers may cost."""

    max_pixels: int = Field(
        default=64_000_000, ge=1, description="The most pixels of one picture of a film."
    )
    memory_bytes: int = Field(
        default=4 << 30,
        ge=256 << 20,
        description="The most address space of a process that decodes a film.",
    )


class Door(_Group):
    """The door of `aima up`: where it listens, under which names, and how often it answers."""

    address: str = Field(
        default="",
        description="Also listen at this address, such as `0.0.0.0`. Empty: loopback only. There "
        "is no TLS here: put a proxy in front of a network you do not trust.",
    )
    hosts: list[str] = Field(
        default=[],
        description="Names it may be called by, besides this machine's own: what stands in the "
        "addresses that clients use, such as `ai.example.org` behind a proxy.",
    )
    per_minute: dict[RoleName, int] = Field(
        default={"viewer": 1200, "operator": 3000, "author": 3000},
        description="Requests of one key in a minute, by its role; 0 or absent: no bound. "
        "`aima key create --per-minute` gives a key its own.",
    )
    open_runs: int = Field(
        default=10_000,
        ge=0,
        description="Runs that may be open at once, about; whoever asks for one more is told to "
        "wait (429). Schedules and events start theirs all the same. 0: no bound.",
    )
    shutdown_seconds: float = Field(
        default=5, ge=0, le=600, description="Time for requests to end when AIMA stops."
    )
    failures_per_minute: int = Field(
        default=60,
        ge=0,
        description="Wrong keys that one address may send in a minute; a right one always opens. "
        "0: no bound.",
    )
    responses_hours: float = Field(
        default=24,
        ge=0,
        le=24 * 365,
        description="How long an answer of `/v1/responses` is kept, so that a later request of the "
        "same key may go on from it. 0: none is kept.",
    )

    @field_validator("address")
    @classmethod
    def _is_one(cls, text: str) -> str:
        from ipaddress import ip_address

        return str(ip_address(text)) if text else text


class Oidc(_Group):
    """Whose tokens open the door, besides AIMA's own keys (OpenID Connect; extra `aima[oidc]`)."""

    issuer: str = Field(
        default="", description="The provider, exactly as its tokens name it. Empty: no tokens."
    )
    audience: str = Field(default="aima", description="What a token has to be made for.")
    keys_url: str = Field(
        default="", description="Where its keys are. Empty: where its configuration says."
    )
    algorithms: list[Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]] = (
        Field(default=["RS256", "ES256"], description="Signatures that count.")
    )
    role_claim: str = Field(
        default="roles", description="Claim with what its owner may do; `realm_access.roles` …"
    )
    roles: dict[str, RoleName] = Field(
        default={}, description="AIMA's role for a value of that claim; others give nothing."
    )
    leeway_seconds: float = Field(
        default=30, ge=0, le=300, description="How far clocks may differ."
    )
    keys_seconds: float = Field(default=3600, ge=60, description="How long its keys are kept.")


class Outbound(_Group):
    """What may be called because somebody's data say so, such as a picture of a chat."""

    allow: list[str] = Field(
        default=[],
        description="Besides public addresses: `host`, `host:port` or `network/bits`. What is "
        "configured as an engine needs no place here.",
    )
    max_bytes: int = Field(default=32 << 20, ge=1, description="Largest thing that is fetched.")
    seconds: float = Field(default=20, gt=0, description="Longest time for one, all in all.")
    redirects: int = Field(default=5, ge=0, description="Most redirects; each is checked anew.")

    @field_validator("allow")
    @classmethod
    def _readable(cls, texts: list[str]) -> list[str]:
        from aima.addresses import Allowed

        Allowed.read(texts)
        return texts


class Settings(_Group):
    """All settings of one process."""

    data: Path = Field(
        default=Path("~/.local/share/aima"),
        description="Folder of everything AIMA keeps: models, artifacts, runs.",
    )
    port: int = Field(default=7700, ge=0, le=65535, description="Port of `aima up` on loopback.")
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least severe lines of the processes' logs; runs have logs of their own.",
    )
    project: Project = Project()
    temporal: Temporal = Temporal()
    worker: Worker = Worker()
    embedded: Embedded = Embedded()
    engines: dict[str, Engine] = Field(
        default={}, description="Other engines by name: `[engines.ollama] url = …`."
    )
    containers: Containers = Containers()
    models: Models = Models()
    artifacts: Artifacts = Artifacts()
    files: Files = Files()
    media: Media = Media()
    streams: Streams = Streams()
    door: Door = Door()
    oidc: Oidc = Oidc()
    outbound: Outbound = Outbound()
    root: Path | None = Field(
        default=None, description="The project's folder; found, not set.", exclude=True
    )


def load_settings(
    *, environ: Mapping[str, str] = os.environ, start: Path | None = None
) -> Settings:
    """Read the settings of this process.

    Raises:
        ValidationFailed: a file or variable holds something no setting accepts.
    """
    root = project_root(start or Path.cwd())
    values: dict[str, Any] = {}
    if root:
        values = _read_toml(root / PROJECT_FILE)
        if "data" in values:
            values["data"] = root / Path(str(values["data"])).expanduser()
    _merge(values, _from_environ(environ))
    values["root"] = root
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(str(part) for part in first["loc"])
        where = _said_in(path, environ) or str((root or Path()) / PROJECT_FILE)
        raise ValidationFailed(
            f"{where}: setting {'.'.join(path)!r}: {first['msg']}; `aima settings` lists what "
            "there is"
        ) from error
    return settings.model_copy(update={"data": settings.data.expanduser().absolute()})


def project_root(start: Path) -> Path | None:
    """Find the nearest folder with an ``aima.toml``, from ``start`` upwards."""
    return next((p for p in (start, *start.parents) if (p / PROJECT_FILE).is_file()), None)


def variable(path: tuple[str, ...]) -> str:
    """Name the environment variable of a setting."""
    return "_".join(("AIMA", *path)).upper()


def fields(
    model: type[BaseModel] = Settings, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk all settings as ``(path, pydantic field)``, groups flattened."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, (*path, name))
        else:
            yield (*path, name), field


def _said_in(path: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """Name the variable that a value came from; None where no variable says it."""
    names = (variable(path[:length]) for length in range(len(path), 0, -1))
    return next((name for name in names if name in environ), None)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ValidationFailed(f"{file}: {error}") from error


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for path, field in fields():
        text = environ.get(variable(path))
        if text is None or (not text and field.default is None):  # empty is no path either
            continue
        value: Any = text
        sample = _samples(str(field.annotation))
        if sample:
            try:
                value = tomllib.loads(f"value = {text}")["value"]
            except tomllib.TOMLDecodeError as error:
                raise ValidationFailed(
                    f"{variable(path)}: {error}; write a TOML {sample}"
                ) from error
        here = values
        for name in path[:-1]:
            here = here.setdefault(name, {})
        here[path[-1]] = value
    return values


def _samples(annotation: str) -> str:
    """Say how a setting with parts is written in TOML; nothing for one without."""
    samples = {"dict": "table such as {a = 'b'}", "list": "list such as ['a', 'b']"}
    return next((sample for kind, sample in samples.items() if kind in annotation), "")


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(cast("dict[str, Any]", into[key]), value)
        else:
            into[key] = value
