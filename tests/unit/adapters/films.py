"""Films made for tests, and for the shipped example."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 10
BEAT = Fraction(1, 1000)
SCENES = ((40, 60, 160), (200, 180, 60), (30, 140, 70))
"""Colours of the scenes of a film."""


def picture(
    colour: tuple[int, int, int], number: int, *, width: int, height: int
) -> npt.NDArray[np.uint8]:
    """Make a picture of one colour with a white square that moves, so that no two are alike."""
    pixels = np.full((height, width, 3), colour, np.uint8)
    side = min(8, height, width)
    left = number * 2 % max(1, width - side)
    pixels[:side, left : left + side] = 255
    return pixels


def film(  # noqa: PLR0913 - each is one thing said of the film
    file: Path,
    *,
    cuts: tuple[float, ...] = (0, 1.5, 4),
    seconds: float = 6,
    width: int = 128,
    height: int = 72,
    codec: str = "libx264",
    rate: int = RATE,
    times: list[float] | None = None,
) -> Path:
    """Write a film whose scenes begin at ``cuts``; ``times`` are those of its frames."""
    with av.open(str(file), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = BEAT
        stream.codec_context.max_b_frames = 0
        stream.gop_size = 10 * rate
        for number, time in enumerate(times or [n / rate for n in range(int(seconds * rate))]):
            scene = sum(time >= cut for cut in cuts) - 1
            pixels = picture(SCENES[scene % 3], number, width=width, height=height)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), BEAT
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file


def turned(file: Path) -> Path:
    """Say in an MP4 that its pictures are to be shown a quarter turn clockwise."""
    content = bytearray(file.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    quarter = (0, 0x10000, 0, 0xFFFF0000, 0, 0, 0, 0, 0x40000000)
    content[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big") for value in quarter)
    file.write_bytes(content)
    return file
