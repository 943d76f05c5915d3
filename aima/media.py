"""What can be learned about a media file without decoding it."""

from __future__ import annotations

from pathlib import Path

from aima.errors import UnsupportedMedia


def seconds_of(file: Path) -> float:
    """Tell how long a recording plays.

    Raises:
        UnsupportedMedia: the file is no audio or video, or does not say.
    """
    import av

    try:
        with av.open(str(file)) as container:
            stream = next((s for s in container.streams if s.duration and s.time_base), None)
            if stream is not None and stream.duration and stream.time_base:
                return float(stream.duration * stream.time_base)
            if container.duration:
                return container.duration / 1_000_000  # libav counts microseconds
    except av.FFmpegError as error:
        raise UnsupportedMedia(f"{file.name!r} cannot be read as media: {error}") from error
    raise UnsupportedMedia(f"{file.name!r} does not tell how long it plays")
