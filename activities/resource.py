"""What runs draw on: files, films, and passages by their older name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO

from pydantic import BaseModel, Field, JsonValue

from activities.retrieval import MOST_TOP_K, STORE_ERRORS, Documents, Name, Vector
from aima.blocking import in_thread
from aima.errors import (
    Forbidden,
    InsufficientResources,
    InvalidRequest,
    NotFound,
    TooLarge,
    UnsupportedMedia,
    ValidationFailed,
)
from aima.ports.artifacts import Artifact
from aima.ports.frames import Picking
from aima.ports.inference import Frame, Request
from aima.ports.vectors import Filter, Search
from aima.records import Budget, Encoding, Format, Source, format_of, read_records
from aima.unit import Context, Domain, Example

resource = Domain("resource")

FILE_ERRORS = (NotFound, Forbidden, InvalidRequest, UnsupportedMedia, TooLarge)
MOST_ITEMS = 1_000_000
MOST_FRAMES = 1000
MAX_BYTES_SETTING = "files.max_bytes"


class LoadRequest(Request):
    """What to read."""

    path: Artifact | str = Field(
        description="A file or folder below `files.roots` (the project's folder, unless set), or "
        "an artifact."
    )
    format: Format | None = Field(
        default=None,
        description="`json`, `jsonl`, `csv`, `text`, `markdown`, or `lines`: each line of a text "
        "is an item. Absent: as the name ends.",
    )
    glob: str | None = Field(
        default=None,
        description="Which files of a folder, such as `**/*.md`. Absent: all that can be read.",
    )
    limit: int | None = Field(
        default=None, ge=1, le=MOST_ITEMS, description="No more items; the rest is not read."
    )
    encoding: Encoding = Field(default="utf-8", description="How the text is encoded.")


class Loaded(BaseModel):
    """What was in the files."""

    items: list[JsonValue] = Field(
        description="The elements of JSON, the lines of JSON Lines, the rows of CSV as maps, or "
        "whole texts as documents for `retrieval.index`; files in the order of their names."
    )
    files: int = Field(description="How many files were read.")
    truncated: bool = Field(description="`limit` left some out.")


class FramesRequest(Request):
    """Which pictures of a film."""

    video: Artifact = Field(
        description="The film: any common container and codec.",
        json_schema_extra={"contentMediaType": "video/*"},
    )
    interval: float = Field(
        default=10,
        ge=0.001,
        le=86_400,
        description="Seconds from one picture to the next; of scenes, at least so many.",
    )
    scene: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Take the first picture of each scene: one that differs from the picture "
        "before by so much of the range of brightness; 0.1 is a cut. The whole film is decoded.",
    )
    max: int = Field(default=100, ge=1, le=MOST_FRAMES, description="No more pictures.")
    max_side: int | None = Field(
        default=None, ge=16, description="Make larger pictures smaller: pixels of the longer side."
    )


class FrameList(BaseModel):
    """Pictures of a film."""

    frames: list[Frame] = Field(description="In their order; JPEG, upright.")
    duration: float | None = Field(default=None, description="What the film says, in seconds.")
    truncated: bool = Field(description="`max` left some out.")


class VectorSearch(Request):
    """A vector to look for."""

    vector: Vector = Field(description="The question's vector.")
    top_k: int = Field(default=5, ge=1, le=MOST_TOP_K, description="How many passages, at most.")
    collection: Name = "default"
    filter: Filter | None = Field(default=None, description="Look only at such documents.")


@resource.query(
    timeout=timedelta(minutes=5),
    errors=(*FILE_ERRORS, ValidationFailed),
    examples=(
        Example(
            "Rows of a table",
            {"path": "assets/planets.csv", "limit": 2},
            {
                "items": [
                    {"name": "Mercury", "kind": "rocky", "moons": "0"},
                    {"name": "Venus", "kind": "rocky", "moons": "0"},
                ],
                "files": 1,
                "truncated": True,
            },
        ),
        Example(
            "A file of one's own",
            {"path": "@assets/questions.jsonl"},
            {
                "items": [
                    "What is the capital of France?",
                    "How many legs does a spider have?",
                    "Which planet is closest to the sun?",
                ],
                "files": 1,
                "truncated": False,
            },
        ),
    ),
)
async def load(request: LoadRequest, ctx: Context) -> Loaded:
    """Read a file, or the files of a folder, as a list of items.

    A relative path is looked for in each folder of `files.roots`, then in what AIMA ships.
    """
    budget = Budget(ctx.files.max_bytes, MAX_BYTES_SETTING)
    if isinstance(request.path, Artifact):
        artifact = request.path
        place = await ctx.artifacts.path(artifact)
        sources = [_Readable(artifact.artifact, artifact.media_type, lambda: place.open("rb"))]
    else:
        found = await ctx.files.find(request.path, request.glob)
        sources = [_Readable(str(file.name), "", partial(ctx.files.opened, file)) for file in found]
    items = await in_thread(_read, sources, request, budget)
    wanted = items[: request.limit]
    return Loaded(items=wanted, files=len(sources), truncated=len(items) > len(wanted))


@resource.command(
    idempotent=True,
    timeout=timedelta(minutes=30),
    errors=(NotFound, UnsupportedMedia, ValidationFailed, TooLarge, InsufficientResources),
    examples=(
        Example(
            "Every two seconds",
            {"video": "@assets/scenes.mp4", "interval": 2},
            {"duration": 6.0, "truncated": False},
            holds=(
                lambda reply: [frame["time"] for frame in reply["frames"]] == [0, 2, 4],  # type: ignore[attr-defined] # a list
            ),
        ),
        Example(
            "One of each scene",
            {"video": "@assets/scenes.mp4", "scene": 0.1, "interval": 0.5},
            {"duration": 6.0, "truncated": False},
            holds=(
                lambda reply: [frame["time"] for frame in reply["frames"]] == [0, 1.5, 4],  # type: ignore[attr-defined] # a list
            ),
        ),
    ),
)
async def extract_frames(request: FramesRequest, ctx: Context) -> FrameList:
    """Take pictures out of a film, by time or by scene.

    A film is decoded in a process of its own, so one that breaks the decoder breaks nothing else.
    """
    film = await ctx.artifacts.path(request.video)
    picking = Picking(
        interval=request.interval,
        scene=request.scene,
        most=request.max,
        most_side=request.max_side,
    )
    frames: list[Frame] = []
    async with ctx.frames.pick(film, picking, progress=ctx.progress) as opened:
        async for picture in opened.pictures:
            image = await ctx.artifacts.put(picture.jpeg, media_type="image/jpeg")
            frames.append(
                Frame(
                    image=image,
                    index=len(frames),
                    time=picture.time,
                    width=picture.width,
                    height=picture.height,
                )
            )
    return FrameList(frames=frames, duration=opened.seconds, truncated=opened.more)


@resource.query(
    errors=(*STORE_ERRORS, NotFound),
    examples=(
        Example(
            "Nearest to a vector",
            {"vector": [1, 0, 0], "collection": "capitals", "top_k": 1},
            {
                "documents": [
                    {
                        "id": "de",
                        "text": "Berlin is the capital of Germany.",
                        "score": 0.970495,
                        "metadata": {},
                        "start": 0,
                        "similarity": 0.970495,
                    }
                ]
            },
        ),
    ),
)
async def search_vectors(request: VectorSearch, ctx: Context) -> Documents:
    """Find passages by a vector: the older name of `retrieval.search`."""
    wanted = Search(
        collection=request.collection,
        vector=request.vector,
        words=None,
        top_k=request.top_k,
        filter=request.filter,
    )
    return Documents(documents=await ctx.vectors.search(wanted))


@dataclass(frozen=True)
class _Readable:
    """A file to read, wherever it is."""

    name: str
    media_type: str
    opened: Callable[[], AbstractContextManager[BinaryIO]]


def _read(sources: list[_Readable], request: LoadRequest, budget: Budget) -> list[JsonValue]:
    """Read one item more than is wanted, to know whether there are more."""
    return list(islice(_items(sources, request, budget), (request.limit or MOST_ITEMS) + 1))


def _items(sources: list[_Readable], request: LoadRequest, budget: Budget) -> Iterator[JsonValue]:
    for readable in sources:
        kind = request.format or format_of(readable.name, readable.media_type)
        with readable.opened() as stream:
            source = Source(readable.name, stream, request.encoding, budget)
            yield from read_records(source, kind)
