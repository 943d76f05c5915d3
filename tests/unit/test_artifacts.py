import asyncio
import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from aima.artifacts import CHUNK_BYTES, FolderArtifacts
from aima.errors import InvalidRequest, NotFound, TooLarge
from aima.ports.artifacts import Artifact, Artifacts, Corrupt

SOUND = bytes(range(256)) * 20_000  # about five chunks
LIMIT = 8 * CHUNK_BYTES


@pytest.fixture
def store(tmp_path: Path) -> FolderArtifacts:
    """Give an empty store."""
    return FolderArtifacts(tmp_path / "artifacts", max_bytes=LIMIT)


def files_of(store: FolderArtifacts) -> list[Path]:
    """List every file in the store, unfinished ones included."""
    return [file for file in store.folder.rglob("*") if file.is_file()]


async def parts_of(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Hand out ``data`` in parts, as an upload does."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    """Put a stream together."""
    return b"".join([chunk async for chunk in chunks])


# --- keeping and giving back --------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"x", SOUND, SOUND[:CHUNK_BYTES]])
async def test_bytes_come_back_by_every_way(store: FolderArtifacts, data: bytes) -> None:
    """Whole, in chunks or as a file: the same bytes, under the hash of their content."""
    port: Artifacts = store
    kept = await port.put(data, media_type="audio/wav")
    assert kept == Artifact(
        artifact=f"sha256:{hashlib.sha256(data).hexdigest()}",
        media_type="audio/wav",
        bytes=len(data),
    )
    assert await port.get(kept) == data
    assert await all_of(port.stream(kept)) == data
    assert (await port.path(kept)).read_bytes() == data


@pytest.mark.parametrize("size", [1 << 16, CHUNK_BYTES, 3 * CHUNK_BYTES])
async def test_a_stream_is_kept_like_its_bytes(store: FolderArtifacts, size: int) -> None:
    """How an upload arrives must not change its name."""
    streamed = await store.put(parts_of(SOUND, size), media_type="audio/wav")
    assert streamed == await store.put(SOUND, media_type="audio/wav")
    assert len(files_of(store)) == 1


async def test_files_are_for_their_owner_alone(store: FolderArtifacts) -> None:
    """Recordings are private, whatever the umask."""
    kept = await store.put(SOUND, media_type="audio/wav")
    file = await store.path(kept)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    folders = (store.folder, store.folder / "tmp", file.parent)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


async def test_many_writers_of_the_same_bytes_agree(store: FolderArtifacts) -> None:
    """Steps of parallel runs keep the same value at the same time."""
    other = FolderArtifacts(store.folder, max_bytes=LIMIT)
    puts = [one.put(SOUND, media_type="audio/wav") for one in (store, other) * 6]
    assert len(set(await asyncio.gather(*puts))) == 1
    assert len(files_of(store)) == 1


async def test_more_than_the_limit_is_refused_and_leaves_nothing(store: FolderArtifacts) -> None:
    """A stream has no length to check beforehand; it is cut off when it exceeds the limit."""
    await store.put(bytes(LIMIT), media_type="audio/wav")
    for data in (bytes(LIMIT + 1), parts_of(bytes(LIMIT + 1), CHUNK_BYTES)):
        with pytest.raises(TooLarge, match=str(LIMIT)):
            await store.put(data, media_type="audio/wav")
    assert len(files_of(store)) == 1


async def test_a_source_that_breaks_leaves_nothing(store: FolderArtifacts) -> None:
    """A client that hangs up in the middle of an upload fills no disk."""

    async def broken() -> AsyncIterator[bytes]:
        yield SOUND
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(broken(), media_type="audio/wav")
    assert files_of(store) == []


async def test_a_cancelled_put_leaves_nothing(store: FolderArtifacts) -> None:
    """A cancelled step's half recording is nobody's."""
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield SOUND
        waiting.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(store.put(endless(), media_type="audio/wav"))
    await waiting.wait()
    assert len(files_of(store)) == 1
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert files_of(store) == []


# --- what killed writers leave ------------------------------------------------------------------

KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from aima.artifacts import FolderArtifacts, _Writer
with _Writer(FolderArtifacts(Path(sys.argv[1]), max_bytes=10)) as writer:
    writer.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def age(file: Path) -> None:
    """Make a file an hour old."""
    os.utime(file, (time.time() - 3600,) * 2)


def test_the_next_start_clears_what_a_killed_writer_left(store: FolderArtifacts) -> None:
    """Kills must not fill the disk; a young file may belong to a writer that just began."""
    killed = subprocess.run([sys.executable, "-c", KILLED_WRITER, store.folder], check=False)
    assert killed.returncode < 0
    [left] = files_of(store)
    FolderArtifacts(store.folder, max_bytes=LIMIT)
    assert left.exists()
    age(left)
    FolderArtifacts(store.folder, max_bytes=LIMIT)
    assert not left.exists()


async def test_a_start_spares_a_writer_that_lives(store: FolderArtifacts) -> None:
    """A slow upload of an hour is as good as a fast one."""
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield SOUND
        waiting.set()
        await go_on.wait()

    put = asyncio.create_task(store.put(slow(), media_type="audio/wav"))
    await waiting.wait()
    [unfinished] = files_of(store)
    age(unfinished)
    FolderArtifacts(store.folder, max_bytes=LIMIT)
    go_on.set()
    assert await store.get(await put) == SOUND


# --- damage -------------------------------------------------------------------------------------


def ways_to_read(target: Path) -> list[Callable[[FolderArtifacts, Artifact], object]]:
    """List every way to an artifact's bytes."""
    return [
        lambda store, artifact: asyncio.run(store.get(artifact)),
        lambda store, artifact: asyncio.run(all_of(store.stream(artifact))),
        lambda store, artifact: asyncio.run(store.path(artifact)),
        lambda store, artifact: store.copy_to(artifact, target),
    ]


def keep(store: FolderArtifacts, data: bytes = SOUND) -> Artifact:
    """Put bytes into the store."""
    return asyncio.run(store.put(data, media_type="audio/wav"))


@pytest.mark.parametrize("damaged", [b"", SOUND[:-1], SOUND[:-1] + b"!", SOUND + b"!"])
def test_damaged_bytes_are_never_handed_over(
    store: FolderArtifacts, tmp_path: Path, damaged: bytes
) -> None:
    """A bad disk must end as an error that names the file, not as a wrong answer."""
    artifact = keep(store)
    [file] = files_of(store)
    file.write_bytes(damaged)
    target = tmp_path / "answer.wav"
    for read in ways_to_read(target):
        with pytest.raises(Corrupt, match=str(file)):
            read(store, artifact)
    assert not target.exists()


async def test_a_damaged_stream_ends_before_its_last_chunk(store: FolderArtifacts) -> None:
    """Whoever reads to the end has seen nothing wrong end well."""
    artifact = await store.put(SOUND, media_type="audio/wav")
    (await store.path(artifact)).write_bytes(SOUND[:-1] + b"!")
    seen = bytearray()

    async def read() -> None:
        async for chunk in store.stream(artifact):
            seen.extend(chunk)

    with pytest.raises(Corrupt):
        await read()
    assert 0 < len(seen) < len(SOUND)


def test_damaged_bytes_are_mended_by_keeping_them_again(store: FolderArtifacts) -> None:
    """The step that made them need only run again."""
    artifact = keep(store)
    [file] = files_of(store)
    file.write_bytes(b"damaged")
    assert keep(store) == artifact
    assert file.read_bytes() == SOUND


def test_missing_bytes_are_told(store: FolderArtifacts, tmp_path: Path) -> None:
    """A worker that does not share the folder is the likeliest reason; the message says so."""
    artifact = keep(store)
    files_of(store)[0].unlink()
    for read in ways_to_read(tmp_path / "answer.wav"):
        with pytest.raises(NotFound, match="does not share this folder"):
            read(store, artifact)


def test_a_reference_with_another_length_is_refused(store: FolderArtifacts) -> None:
    """Limits are checked on the length a reference claims, so the claim must be true."""
    artifact = keep(store).model_copy(update={"bytes": 1})
    with pytest.raises(InvalidRequest, match=f"{len(SOUND)} bytes, not 1"):
        asyncio.run(store.get(artifact))


# --- references ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        "sha256:",
        "sha256:../../../../etc/passwd",
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 64 + "\n",
        "sha256:" + "a" * 32 + "\0" + "a" * 31,
        "md5:" + "a" * 64,
        "a" * 64,
    ],
)
def test_only_a_whole_hash_names_an_artifact(name: str) -> None:
    """The name becomes a path; peers were broken into twice by a looser rule."""
    with pytest.raises(ValidationError):
        Artifact(artifact=name, media_type="audio/wav", bytes=1)


@pytest.mark.parametrize(
    "media_type", ["", "audio", "audio/", "audio/wav\r\nx: y", "a b/c", "audio/" + "x" * 300]
)
def test_a_media_type_is_one(media_type: str) -> None:
    """It becomes a header of an answer."""
    with pytest.raises(ValidationError):
        Artifact(artifact="sha256:" + "a" * 64, media_type=media_type, bytes=1)


def test_the_schema_says_that_it_is_an_artifact() -> None:
    """Doors turn a file into a reference where a schema has this format."""
    assert Artifact.model_json_schema()["format"] == "artifact"


def test_the_command_line_does_not_pay_for_asyncio() -> None:
    """`aima --help` has a quarter of a second."""
    check = "import sys, aima.artifacts; print(int('asyncio' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "0"
