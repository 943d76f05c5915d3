"""What units ask of a store of passages: texts with their vectors, found by nearness or words."""

from __future__ import annotations

from collections.abc import Collection as Many
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from aima.errors import ExecutionFailed

Scalar: TypeAlias = bool | int | float | str

MOST_CONDITIONS = 200
DEEPEST_FILTER = 8


class Filter(BaseModel):
    """Which documents to look at, by their metadata.

    It is one test of one field, or a group of other filters. A field with a list holds each of
    its values; a field inside another is written `outer.inner`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str | None = Field(default=None, min_length=1, description="The field to test.")
    equals: Scalar | None = Field(default=None, description="It is this value.")
    one_of: tuple[Scalar, ...] | None = Field(default=None, description="It is one of these.")
    at_least: int | float | str | None = Field(default=None, description="It is this or more.")
    above: int | float | str | None = Field(default=None, description="It is more than this.")
    at_most: int | float | str | None = Field(default=None, description="It is this or less.")
    below: int | float | str | None = Field(default=None, description="It is less than this.")
    all: tuple[Filter, ...] | None = Field(default=None, description="Every one of these holds.")
    any: tuple[Filter, ...] | None = Field(default=None, description="At least one of these holds.")
    none: tuple[Filter, ...] | None = Field(default=None, description="Not one of these holds.")

    @model_validator(mode="after")
    def _one_thing(self) -> Filter:
        tests = self.model_fields_set - {"field", "all", "any", "none"}
        groups = [group for group in (self.all, self.any, self.none) if group is not None]
        if (self.field is None) == (not groups) or len(groups) > 1:
            raise ValueError("give either `field` or one of `all`, `any`, `none`")
        if (self.field is None) != (not tests):
            raise ValueError("say what `field` is: `equals`, `one_of`, `at_least`, `below` …")
        if not all(groups):
            raise ValueError("a group holds at least one filter")
        if self._depth() > DEEPEST_FILTER or self._conditions() > MOST_CONDITIONS:
            raise ValueError(
                f"a filter is at most {DEEPEST_FILTER} deep and tests at most {MOST_CONDITIONS} "
                "fields; use `one_of` for many values"
            )
        return self

    @property
    def parts(self) -> tuple[Filter, ...]:
        """The filters of a group; none where it is a test."""
        return self.all or self.any or self.none or ()

    def _depth(self) -> int:
        return 1 + max((part._depth() for part in self.parts), default=0)  # noqa: SLF001 - its own

    def _conditions(self) -> int:
        return sum(part._conditions() for part in self.parts) or 1  # noqa: SLF001 - its own


@dataclass(frozen=True)
class Passage:
    """A stretch of a document, which begins at character `start` of it, and its vector."""

    text: str
    start: int
    vector: Sequence[float]


@dataclass(frozen=True)
class Entry:
    """A document to keep.

    Attributes:
        digest: changes when the document or the way it is cut up does.
    """

    id: str
    digest: str
    metadata: Mapping[str, JsonValue]
    passages: Sequence[Passage]


@dataclass(frozen=True)
class Search:
    """What to look for; a vector, words, or both.

    Attributes:
        model: the model that made the vector; None: nobody says.
    """

    collection: str
    vector: Sequence[float] | None
    words: str | None
    top_k: int
    filter: Filter | None = None
    model: str | None = None


class Found(BaseModel):
    """A passage that was found."""

    id: str = Field(description="The document it belongs to.")
    text: str = Field(description="The passage.")
    score: float = Field(
        description="The higher the better: cosine similarity where only a vector was given, else "
        "how high it stands in both lists (reciprocal rank fusion; 1 is first in each)."
    )
    metadata: dict[str, JsonValue] = Field(description="The document's metadata.")
    start: int = Field(description="Where the passage begins in its document, in characters.")
    similarity: float | None = Field(default=None, description="Cosine of the two vectors.")


class Collection(BaseModel):
    """Documents that are searched together."""

    name: str
    model: str | None = Field(default=None, description="The model of all its vectors.")
    dimension: int = Field(description="Numbers in each vector.")
    documents: int
    passages: int


class StoreDamaged(ExecutionFailed):
    """The file of vectors is damaged; no other attempt mends it."""

    retryable = False


class Vectors(Protocol):
    """Collections of documents, shared by all workers of one data folder."""

    async def unchanged(self, collection: str, digests: Mapping[str, str]) -> set[str]:
        """Tell which documents (digests by id) are there as they are given.

        Raises:
            TimedOut: another process has not let go of the file.
            Forbidden: the file may not be read.
            InsufficientResources: the disk is full.
        """
        ...

    async def keep(self, collection: str, model: str | None, entries: Sequence[Entry]) -> None:
        """Keep documents, all of them or none; one that is there is replaced.

        Raises:
            ValidationFailed: a vector is of another dimension or model, or has no direction.
            TimedOut: another process has not let go of the file.
            Forbidden: the file may not be written.
            InsufficientResources: the disk is full.
        """
        ...

    async def search(self, wanted: Search) -> list[Found]:
        """Find the passages nearest to a vector, or that share most words with a text.

        Raises:
            NotFound: there is no such collection.
            ValidationFailed: the vector is of another dimension or model, or has no direction.
            TimedOut: another process has not let go of the file.
            Forbidden: the file may not be read.
            InsufficientResources: the disk is full.
        """
        ...

    async def delete(
        self, collection: str, *, ids: Many[str] | None = None, matching: Filter | None = None
    ) -> int:
        """Forget documents, by id or by filter, or the whole collection; tell how many.

        Raises:
            TimedOut: another process has not let go of the file.
            Forbidden: the file may not be written.
            InsufficientResources: the disk is full.
        """
        ...

    async def collections(self) -> list[Collection]:
        """List the collections by name.

        Raises:
            TimedOut: another process has not let go of the file.
            Forbidden: the file may not be read.
            InsufficientResources: the disk is full.
        """
        ...
