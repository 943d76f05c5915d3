"""The units of `resource`, on real files and films."""

from __future__ import annotations

import pytest

from activities.resource import FramesRequest, LoadRequest, extract_frames, load
from activities.retrieval import IndexRequest
from aima.adapters.files.folders import FolderFiles
from aima.errors import NotFound, TooLarge, UnsupportedMedia
from aima.shipped import shipped
from aima.testing import FakeContext


async def test_a_folder_becomes_documents_for_the_index() -> None:
    """The beginning of every question to one's own files."""
    ctx = FakeContext()
    (ctx.folder / "b.md").write_text("# B")
    (ctx.folder / "a.txt").write_text("A")
    loaded = await load(LoadRequest(path="."), ctx)
    assert (loaded.files, loaded.truncated) == (2, False)
    documents = IndexRequest.model_validate({"documents": loaded.items}).documents
    assert [getattr(document, "id", "") for document in documents] == ["a.txt", "b.md"]


async def test_an_artifact_is_read_like_a_file() -> None:
    """What a step before has made, or the command line has brought."""
    ctx = FakeContext()
    table = await ctx.artifacts.put(b"a,b\n1,2\n", media_type="text/csv")
    assert (await load(LoadRequest(path=table), ctx)).items == [{"a": "1", "b": "2"}]


async def test_a_limit_leaves_the_rest_unread() -> None:
    """A file of a gigabyte is asked for its first lines."""
    ctx = FakeContext()
    ctx.__dict__["files"] = FolderFiles((ctx.folder,), 100)
    (ctx.folder / "a.jsonl").write_text("1\n" * 10_000)
    loaded = await load(LoadRequest(path="a.jsonl", limit=3), ctx)
    assert (loaded.items, loaded.truncated) == ([1, 1, 1], True)
    with pytest.raises(TooLarge):
        await load(LoadRequest(path="a.jsonl"), ctx)


async def test_exactly_as_many_as_the_limit_are_all() -> None:
    """Nothing was left out."""
    ctx = FakeContext()
    (ctx.folder / "a.jsonl").write_text("1\n2\n")
    assert not (await load(LoadRequest(path="a.jsonl", limit=2), ctx)).truncated


async def test_what_is_not_there_or_not_known_is_told() -> None:
    """Each with its own error."""
    ctx = FakeContext()
    (ctx.folder / "a.bin").write_bytes(b"\0\1")
    with pytest.raises(NotFound):
        await load(LoadRequest(path="nobody.csv"), ctx)
    with pytest.raises(UnsupportedMedia, match="say its `format`"):
        await load(LoadRequest(path="a.bin"), ctx)
    with pytest.raises(UnsupportedMedia, match="NUL"):
        await load(LoadRequest(path="a.bin", format="lines"), ctx)


async def test_frames_become_pictures_in_the_store() -> None:
    """A step that sees takes them as they are."""
    ctx = FakeContext()
    film = (shipped("workflows") / "assets" / "scenes.mp4").read_bytes()
    video = await ctx.artifacts.put(film, media_type="video/mp4")
    reply = await extract_frames(FramesRequest(video=video, interval=3), ctx)
    assert [(frame.index, frame.time) for frame in reply.frames] == [(0, 0), (1, 3)]
    assert (reply.duration, reply.truncated) == (6, False)
    assert (await ctx.artifacts.get(reply.frames[0].image)).startswith(b"\xff\xd8")
    assert reply.frames[0].image.media_type == "image/jpeg"
