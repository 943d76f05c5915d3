"""Pictures out of films, good and bad."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import psutil
import pytest

from aima.adapters.media.frames import PROGRAM, ProcessFrames
from aima.errors import TooLarge, UnsupportedMedia, ValidationFailed
from aima.ports.frames import Picking, Picture
from aima.shipped import shipped
from tests.hostile_files import corpus, written
from tests.unit.adapters.films import film, turned

MEMORY = 2 << 30
GOOD = shipped("workflows") / "assets" / "scenes.mp4"
FILMS = corpus(GOOD.read_bytes())
READABLE_IN_PART = {"damaged.mp4", "no-index.mp4"}


def picking(interval: float = 2, **said: object) -> Picking:
    """Say which pictures to take."""
    given: dict[str, object] = {"scene": None, "most": 100, "most_side": None, **said}
    return Picking(interval=interval, **given)  # type: ignore[arg-type] # tests write it out


async def pictures(
    file: Path, picked: Picking, *, most_pixels: int = 10_000_000, told: list[str] | None = None
) -> list[Picture]:
    """Take them."""
    frames = ProcessFrames(most_pixels, MEMORY)
    progress = (told if told is not None else []).append
    async with frames.pick(file, picked, progress=progress) as opened:
        return [picture async for picture in opened.pictures]


def times(found: list[Picture]) -> list[float]:
    """Tell when they are shown."""
    return [picture.time for picture in found]


async def test_pictures_are_taken_by_time() -> None:
    """From the first on, one each interval; the last one may be shown for less."""
    told: list[str] = []
    assert times(await pictures(GOOD, picking(2.5), told=told)) == [0, 2.5, 5]
    assert told[-1] == "3 frames, at 5.0 s"


async def test_pictures_are_taken_by_scene() -> None:
    """The first of each; what only moves is no new scene."""
    found = await pictures(GOOD, picking(0.1, scene=0.1))
    assert times(found) == [0, 1.5, 4]
    colours = [np.round(decoded(picture)[40, 60], -1).tolist() for picture in found]
    assert colours == [[40, 60, 160], [200, 180, 60], [30, 140, 70]]


async def test_scenes_are_kept_apart() -> None:
    """A flicker must not give a picture each."""
    assert times(await pictures(GOOD, picking(3, scene=0.1))) == [0, 4]


async def test_no_more_than_wanted_are_taken_and_the_rest_is_told() -> None:
    """A caller must know that there is more."""
    async with ProcessFrames(10**7, MEMORY).pick(
        GOOD, picking(1, most=2), progress=lambda _: None
    ) as opened:
        assert len([picture async for picture in opened.pictures]) == 2
        assert opened.more
        assert opened.seconds == 6


async def test_large_pictures_are_made_smaller() -> None:
    """A model that sees takes no more anyway."""
    [small] = await pictures(GOOD, picking(9, most_side=64))
    assert (small.width, small.height) == (64, 36)
    assert decoded(small).shape == (36, 64, 3)


async def test_a_film_that_was_held_sideways_is_upright(tmp_path: Path) -> None:
    """Telephones write how it was held, and turn nothing."""
    file = turned(film(tmp_path / "a.mp4", seconds=1, codec="mpeg4"))
    [picture] = await pictures(file, picking())
    assert (picture.width, picture.height) == (72, 128)
    assert decoded(picture)[4, 68].min() > 200, "the white square of the upper left is at the right"


async def test_a_film_of_ten_hours_is_jumped_through(tmp_path: Path) -> None:
    """Decoding all of it for three pictures would take an hour."""
    file = film(tmp_path / "a.mkv", times=[float(n) for n in range(0, 36_000, 100)], codec="mpeg4")
    assert times(await pictures(file, picking(12_000))) == [0, 12_000, 24_000]


async def test_a_film_of_uneven_pace_is_taken_by_its_clock(tmp_path: Path) -> None:
    """Its frames stand for unequal times."""
    file = film(tmp_path / "a.mp4", times=[0, 0.1, 0.2, 3, 3.1, 7, 7.05, 9])
    assert times(await pictures(file, picking(2))) == [0, 3, 7, 9]


@pytest.mark.parametrize("name", [n for n in FILMS if n not in READABLE_IN_PART])
async def test_what_is_no_film_is_told(tmp_path: Path, name: str) -> None:
    """Whatever it is: a clear error, in bounded time, from a process that is gone."""
    file = written(tmp_path, name, FILMS[name])
    with pytest.raises((UnsupportedMedia, ValidationFailed, TooLarge)) as told:
        await pictures(file, picking())
    assert "passwd" not in told.value.message
    assert not decoders()


@pytest.mark.parametrize("name", sorted(READABLE_IN_PART))
async def test_what_is_whole_of_a_damaged_film_is_given(tmp_path: Path, name: str) -> None:
    """Half of a recording is better than none."""
    file = written(tmp_path, name, FILMS[name])
    assert times(await pictures(file, picking()))[0] == 0


async def test_sound_alone_is_no_film() -> None:
    """The usual mistake."""
    with pytest.raises(UnsupportedMedia, match=r"no film"):
        await pictures(GOOD.with_name("question.wav"), picking())


async def test_pictures_too_large_are_refused_before_one_is_decoded() -> None:
    """The header tells."""
    with pytest.raises(TooLarge, match=r"128x72.*max_pixels"):
        await pictures(GOOD, picking(), most_pixels=5000)


async def test_a_decoder_that_crashes_takes_nothing_along(tmp_path: Path) -> None:
    """A native crash is an error of this film and of nobody else."""
    file = film(tmp_path / "a.mp4", seconds=60, codec="mpeg4")
    told: list[str] = []
    frames = ProcessFrames(10**7, MEMORY)
    async with frames.pick(file, picking(0.1), progress=told.append) as opened:
        await anext(opened.pictures)
        [decoder] = decoders()
        decoder.send_signal(11)
        with pytest.raises(UnsupportedMedia, match="signal 11"):
            async for _ in opened.pictures:
                pass


async def test_leaving_ends_the_decoder(tmp_path: Path) -> None:
    """A cancelled step must not decode on."""
    file = film(tmp_path / "a.mp4", seconds=60, codec="mpeg4")
    started = asyncio.Event()

    async def look() -> None:
        async with ProcessFrames(10**7, MEMORY).pick(
            file, picking(0.1), progress=lambda _: started.set()
        ) as opened:
            async for _ in opened.pictures:
                pass

    work = asyncio.create_task(look())
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not decoders()


async def test_the_decoder_has_bounds(tmp_path: Path) -> None:
    """It may not write, leave a core, or take the machine's memory."""
    file = film(tmp_path / "a.mp4", seconds=60, codec="mpeg4")
    frames = ProcessFrames(10**7, MEMORY)
    async with frames.pick(file, picking(0.1), progress=lambda _: None) as opened:
        await anext(opened.pictures)
        [decoder] = decoders()
        limits = limits_of(decoder.pid)
    assert limits["Max address space"] == str(MEMORY)
    assert limits["Max file size"] == limits["Max core file size"] == "0"


def decoders() -> list[psutil.Process]:
    """Find the decoders that run; other children are of other tests."""
    children = psutil.Process().children()
    return [child for child in children if PROGRAM in child.cmdline()]


def limits_of(pid: int) -> Mapping[str, str]:
    """Read the limits of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[0] for line in lines}


def decoded(picture: Picture) -> npt.NDArray[np.int64]:
    """Decode a JPEG."""
    decoder = av.CodecContext.create("mjpeg", "r")
    [frame] = decoder.decode(av.Packet(picture.jpeg))
    assert isinstance(frame, av.VideoFrame)
    return frame.to_ndarray(format="rgb24").astype(np.int64)
