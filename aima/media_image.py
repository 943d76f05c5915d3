"""Opening pictures of strangers: what they are is checked, and every size bounded.

Only formats with a decoder that is much used are tried. The header tells the size before
anything is decoded; of an animation the first picture counts.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aima.errors import TooLarge, UnsupportedMedia, ValidationFailed

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MOST_BYTES = 48 << 20
MOST_PIXELS = 64_000_000
"""More than any telephone's camera takes; 192 MB when decoded."""

_ORIENTATION = 0x0112
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)
"""What the decoders raise for bytes that are no picture, or not all of one."""


def opened_image(source: bytes | Path, *, most_side: int | None = None) -> Image:
    """Decode a picture as RGB, upright as its camera says, transparent parts white.

    ``most_side`` makes a larger one smaller, so that neither side is longer.

    Raises:
        UnsupportedMedia: these bytes are no picture that can be read.
        ValidationFailed: it is cut off or damaged.
        TooLarge: it has more bytes or pixels than one picture may.
    """
    from PIL import Image

    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with stream:
            _check_bytes(stream.seek(0, io.SEEK_END))
            stream.seek(0)
            with _identified(stream) as picture:
                _check_pixels(*picture.size)
                if most_side:
                    picture.draft("RGB", (most_side, most_side))
                return _upright(picture, most_side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error


def image_size(source: bytes | Path) -> tuple[int, int]:
    """Tell width and height as a picture's header states them, turned upright.

    Raises:
        UnsupportedMedia: these bytes are no picture that can be read.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with stream, _identified(stream) as picture:
        width, height = picture.size
        turned = picture.getexif().get(_ORIENTATION) in {5, 6, 7, 8}
        return (height, width) if turned else (width, height)


def _identified(stream: IO[bytes]) -> Image:
    from PIL import Image

    try:
        return Image.open(stream, formats=FORMATS)
    except _BROKEN as error:
        raise UnsupportedMedia(
            f"these bytes are no picture this engine can read; send {', '.join(FORMATS)}"
        ) from error


def _upright(picture: Image, most_side: int | None) -> Image:
    from PIL import ImageOps

    try:
        picture.load()
        upright = _rgb(ImageOps.exif_transpose(picture))
    except _BROKEN as error:
        raise ValidationFailed(
            f"the picture is cut off or damaged ({error}); send all of it"
        ) from error
    if most_side:
        upright.thumbnail((most_side, most_side))
    return upright


def _rgb(picture: Image) -> Image:
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey; a plain conversion would clip them
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if picture.has_transparency_data:
        pasted = picture.convert("RGBA")
        white = Image.new("RGBA", pasted.size, "white")
        return Image.alpha_composite(white, pasted).convert("RGB")
    return picture.convert("RGB")


def _check_bytes(count: int) -> None:
    if count > MOST_BYTES:
        raise TooLarge(f"the picture has {count} bytes; {MOST_BYTES >> 20} MiB are the most")


def _check_pixels(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> TooLarge:
    return TooLarge(
        f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels; send a smaller one"
    )
