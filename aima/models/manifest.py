"""The manifest: every model AIMA can fetch, with its licence, files and sources."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aima.errors import ModelNotFound, NotFound

ModelType = Literal[
    "llm", "vlm", "asr", "tts", "embedding", "diffusion", "video_gen", "detection", "rerank"
]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSource(_Value):
    """A file in a repository of the model hub."""

    kind: Literal["hub"]
    repo: str
    filename: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"hub {self.repo}/{self.filename}"


class Part(_Value):
    """One member of one wheel."""

    package: str
    version: str
    member: str


class PackageSource(_Value):
    """Members of wheels on the package index; joined in order they are the file."""

    kind: Literal["package"]
    parts: tuple[Part, ...] = Field(min_length=1)

    def __str__(self) -> str:
        return "package " + " + ".join(f"{part.package} {part.version}" for part in self.parts)


class ShippedSource(_Value):
    """A file that comes with AIMA itself."""

    kind: Literal["shipped"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")

    def __str__(self) -> str:
        return f"shipped {self.name}"


Source = Annotated[HubSource | PackageSource | ShippedSource, Field(discriminator="kind")]


class ModelFile(_Value):
    """One file of a model: its place below the model's folder, size and checksum."""

    path: str
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    sources: tuple[Source, ...]

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or parts[0] == "/":
            raise ValueError("must be a relative path below the model's folder")
        return path


class Model(_Value):
    """One model as the manifest states it."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    type: ModelType
    kind: str = Field(default="", description="What it honestly is, where `type` promises more.")
    groups: tuple[str, ...] = ()
    description: str
    licence: str = Field(description="SPDX expression over all files.")
    languages: tuple[str, ...] = Field(min_length=1, description="ISO 639-1, the main one first.")
    context_tokens: int = Field(default=0, description="Of an LLM: what it was trained to hold.")
    chat_template: str = Field(
        default="",
        description="Of an LLM: how it reads a conversation. The one inside its file could hold "
        "the engine up for ever, or crash it, and is never run.",
    )
    memory_bytes: int = Field(
        description="Of main memory, alone in a process: with its libraries and what it uses."
    )
    uses: tuple[str, ...] = Field(default=(), description="Models it works with, fetched with it.")
    files: tuple[ModelFile, ...] = Field(default=(), alias="file")

    @property
    def bytes(self) -> int:
        """Size on disk of its own files."""
        return sum(file.bytes for file in self.files)

    @model_validator(mode="after")
    def _is_made_of_something(self) -> Model:
        if not self.files and not self.uses:
            raise ValueError("a model has files, or uses models that have some")
        return self

    @model_validator(mode="after")
    def _states_how_it_converses(self) -> Model:
        if self.type == "llm" and not self.context_tokens:
            raise ValueError("context_tokens is missing: nothing would bound a conversation")
        if self.type == "llm" and not self.chat_template:
            raise ValueError("chat_template is missing: the one in the file would be run")
        return self


class Manifest(_Value):
    """All models, in the order in which they are offered."""

    models: tuple[Model, ...] = Field(alias="model")

    def model(self, name: str) -> Model:
        """Find a model.

        Raises:
            ModelNotFound: no model has this name; the message lists those that exist.
        """
        for model in self.models:
            if model.name == name:
                return model
        names = ", ".join(model.name for model in self.models)
        raise ModelNotFound(f"no model is called {name!r}; there are: {names}")

    def closure(self, name: str) -> tuple[Model, ...]:
        """Give a model after all it uses, so that what comes first needs nothing that follows.

        Raises:
            ModelNotFound: no model has this name.
        """
        model = self.model(name)
        used = [part for other in model.uses for part in self.closure(other)]
        return tuple(dict.fromkeys([*used, model]))

    def group(self, name: str) -> tuple[Model, ...]:
        """Give the models of a group, such as ``embedded``.

        Raises:
            NotFound: no model belongs to such a group.
        """
        found = tuple(model for model in self.models if name in model.groups)
        if not found:
            groups = ", ".join(sorted({g for model in self.models for g in model.groups}))
            raise NotFound(f"no group of models is called {name!r}; there are: {groups}")
        return found


def load_manifest() -> Manifest:
    """Read the manifest that comes with AIMA."""
    text = files("aima.models").joinpath("manifest.toml").read_text("utf-8")
    return Manifest.model_validate(tomllib.loads(text))
