"""The program that decodes a film, in a process of its own: ``python -m … '{"film": …}'``.

Films come from strangers, and decoders are large C programs. Here one may crash, or need more
memory than is good, and take nothing else along. It reads one file, opens nothing that the file
names, writes no file, and ends with its parent. To its parent it writes records: four bytes with
the length of a JSON header, four with that of a picture, then both.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from aima.errors import AimaError, TooLarge, UnsupportedMedia, ValidationFailed

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,m4v,ogg,asf,mxf,nut,ivf,"
    "gif,h264,hevc"
)
"""Demuxers of films. Others (playlists, concatenations) would open the files they name."""

SEEK_SECONDS = 5.0
"""A gap this long is jumped over; a shorter one is quicker decoded."""
PROGRESS_SECONDS = 0.5
THUMBNAIL = (64, 36)
HEADER = struct.Struct("<II")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Task:
    """What to do.

    Attributes:
        film: path of the file.
        parent: id of the process that waits.
        memory_bytes: the most address space this process may take.
        most_pixels: of one picture.
    """

    film: str
    interval: float
    scene: float | None
    most: int
    most_side: int | None
    most_pixels: int
    memory_bytes: int
    parent: int


def main() -> None:
    """Do the task of the one argument; tell what went wrong as a record."""
    task = Task(**json.loads(sys.argv[1]))
    _confine(task)
    out = sys.stdout.buffer
    try:
        _look_through(task, out)
    except AimaError as error:
        _write(out, {"error": error.code, "message": error.message})
    except MemoryError:
        _write(out, {"error": TooLarge.code, "message": _hungry(task)})


def _confine(task: Task) -> None:
    """Give up what a decoder does not need."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != task.parent:
        sys.exit("the parent is gone")
    os.nice(5)  # beside a machine's other work
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # elsewhere the limit is not kept
        resource.setrlimit(resource.RLIMIT_AS, (task.memory_bytes, task.memory_bytes))


def _look_through(task: Task, out: BinaryIO) -> None:
    import av

    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    av.logging.set_level(None)
    try:
        with av.open(task.film, "r", options=options, metadata_errors="ignore") as container:
            stream = _film_in(container)
            _check_pixels(stream, task)
            seconds = _seconds(container, stream)
            _write(out, {"seconds": seconds})
            count = 0
            for moment, frame in _picked(container, stream, task, out):
                if count == task.most:
                    _write(out, {"end": True, "more": True})
                    return
                count += 1
                _write_picture(out, moment, frame, task)
            if not count:
                raise ValidationFailed("the film holds no picture; send all of it")
            _write(out, {"end": True, "more": False})
    except av.MemoryError as error:
        raise TooLarge(_hungry(task)) from error
    except av.FFmpegError as error:
        raise UnsupportedMedia(
            f"these bytes are no film that can be read ({error.strerror}); send MP4, WebM, "
            "Matroska, MOV or AVI"
        ) from error


def _film_in(container: InputContainer) -> VideoStream:
    from av.stream import Disposition

    films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not films:
        raise UnsupportedMedia("the file holds no film; send a video")
    stream = films[0]
    if stream.codec_context is None:
        raise UnsupportedMedia(
            "the film is of a kind that no decoder here knows; send H.264 or VP9"
        )
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    return stream


def _check_pixels(stream: VideoStream, task: Task) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > task.most_pixels:
        raise TooLarge(
            f"the film's pictures have {width}x{height} pixels; {task.most_pixels} in all are "
            "the most, as the setting 'media.max_pixels' says"
        )


def _seconds(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None


def _picked(
    container: InputContainer, stream: VideoStream, task: Task, out: BinaryIO
) -> Iterator[tuple[float, VideoFrame]]:
    """Choose frames by time, or by how much they differ from the one before."""
    reader = _Reader(container, stream, out)
    due = 0.0
    before: npt.NDArray[np.float32] | None = None
    for moment, frame in reader.frames():
        if task.scene is not None:
            small = frame.reformat(*THUMBNAIL, format="gray").to_ndarray().astype(np.float32)
            changed = before is None or float(np.abs(small - before).mean()) / 255 >= task.scene
            before = small
            if not changed:
                continue
        if moment < due:
            continue
        yield moment, frame
        due = _next(due, moment, task)
        if task.scene is None and due - moment > SEEK_SECONDS:
            reader.jump(due)


def _next(due: float, moment: float, task: Task) -> float:
    """Give the next moment on the grid of intervals; of scenes the interval only keeps apart."""
    if task.scene is not None:
        return moment + task.interval
    return due + task.interval * (int((moment - due) / task.interval + 1e-6) + 1)


class _Reader:
    """The frames of a film with their times from its start, in their order."""

    def __init__(self, container: InputContainer, stream: VideoStream, out: BinaryIO) -> None:
        self._container = container
        self._stream = stream
        self._out = out
        self._base = stream.time_base or Fraction(1, 1000)
        self._start: float | None = None
        self._told = 0.0
        self._target: float | None = None

    def frames(self) -> Iterator[tuple[float, VideoFrame]]:
        last = -1.0
        again = True
        while again:
            again = False
            for moment, frame in self._decoded():
                if moment > last:  # after a jump it may lie before what was seen
                    last = moment
                    yield moment, frame
                if self._target is not None:
                    again = self._seek()
                    if again:
                        break

    def jump(self, moment: float) -> None:
        """Leave out what lies before a moment, as far as the film allows."""
        self._target = moment

    def _seek(self) -> bool:
        import av

        moment, self._target = self._target or 0.0, None
        offset = int((moment + (self._start or 0.0)) / self._base)
        try:
            self._container.seek(offset, stream=self._stream)
        except av.FFmpegError:  # a stream without an index is read through
            return False
        return True

    def _decoded(self) -> Iterator[tuple[float, VideoFrame]]:
        import av

        rate = float(self._stream.average_rate or 25)
        for number, packet in enumerate(self._container.demux(self._stream)):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                continue  # damaged: what follows may be whole
            for frame in frames:
                stated = frame.time if frame.pts is not None else number / rate
                if self._start is None:
                    self._start = stated
                moment = max(0.0, stated - self._start)
                self._tell(moment)
                yield moment, frame

    def _tell(self, moment: float) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_SECONDS:
            self._told = now
            _write(self._out, {"at": round(moment, 1)})


def _write_picture(out: BinaryIO, moment: float, frame: VideoFrame, task: Task) -> None:
    upright = _upright(_shrunk(frame, task.most_side))
    header = {"time": round(moment, 3), "width": upright.width, "height": upright.height}
    _write(out, header, _jpeg(upright))


def _shrunk(frame: VideoFrame, most_side: int | None) -> VideoFrame:
    longest = max(frame.width, frame.height)
    if most_side is None or longest <= most_side:
        return frame
    width, height = (
        max(1, round(side * most_side / longest)) for side in (frame.width, frame.height)
    )
    return frame.reformat(width=width, height=height)


def _upright(frame: VideoFrame) -> VideoFrame:
    """Turn a frame as its film says it is to be shown."""
    from av import VideoFrame

    turns = round(frame.rotation / 90) % 4
    if not turns:
        return frame
    pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    turned = np.ascontiguousarray(np.rot90(pixels, turns))
    return VideoFrame.from_ndarray(turned, format="rgb24")


def _jpeg(frame: VideoFrame) -> bytes:
    import av

    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = frame.width, frame.height
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    encoder.options = {"qmin": "2", "qmax": "4"}
    full = frame.reformat(format="yuvj420p", dst_color_range="JPEG")
    full.pts = 0
    return b"".join(bytes(packet) for part in (full, None) for packet in encoder.encode(part))


def _hungry(task: Task) -> str:
    return (
        f"the film needs more than {task.memory_bytes >> 20} MiB to decode, as the setting "
        "'media.memory_bytes' allows"
    )


def _write(out: BinaryIO, header: Mapping[str, object], body: bytes = b"") -> None:
    text = json.dumps(header).encode()
    out.write(HEADER.pack(len(text), len(body)) + text + body)
    out.flush()


if __name__ == "__main__":
    main()
