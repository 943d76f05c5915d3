"""Pictures of strangers are opened within bounds."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from aima.errors import TooLarge, UnsupportedMedia, ValidationFailed
from aima.media_image import MOST_BYTES, image_size, opened_image


def file_of(picture: Image.Image, form: str = "PNG", **more: object) -> bytes:
    """Write a picture."""
    into = io.BytesIO()
    picture.save(into, form, **more)
    return into.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """Write a PNG whose header states a size, with hardly anything behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_common_formats_are_read(form: str, tmp_path: Path) -> None:
    """From bytes as from a file."""
    written = file_of(Image.new("RGB", (40, 20), "red"), form)
    file = tmp_path / "picture"
    file.write_bytes(written)
    assert opened_image(written).size == opened_image(file).size == image_size(file) == (40, 20)
    red, green, blue = opened_image(file).getpixel((5, 5))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


def test_a_picture_is_turned_as_its_camera_says() -> None:
    """A detector finds nobody who stands on their head."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    written = file_of(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    assert opened_image(written).size == image_size(written) == (20, 40)


def test_what_is_transparent_is_white() -> None:
    """Black letters on nothing must not become black on black."""
    picture = opened_image(file_of(Image.new("RGBA", (4, 4), (0, 0, 0, 0))))
    assert picture.getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_of_grey_keep_their_shades() -> None:
    """A plain conversion would make all of it white."""
    picture = opened_image(file_of(Image.new("I;16", (4, 4), 32768)))
    assert picture.getpixel((0, 0)) == (128, 128, 128)


def test_a_large_picture_is_made_smaller() -> None:
    """Its shape is kept."""
    written = file_of(Image.new("RGB", (800, 400)), "JPEG")
    assert opened_image(written, most_side=200).size == (200, 100)


@pytest.mark.parametrize("size", [(9000, 9000), (20_000, 20_000), (1_000_000, 1_000_000)])
def test_a_bomb_is_refused_by_what_its_header_says(size: tuple[int, int]) -> None:
    """A few bytes that would become gigabytes."""
    with pytest.raises(TooLarge, match="million pixels"):
        opened_image(png_that_says(*size))


def test_too_many_bytes_are_refused() -> None:
    """Before anybody looks at them."""
    with pytest.raises(TooLarge, match="48 MiB"):
        opened_image(bytes(MOST_BYTES + 1))


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"%PDF-1.7", b"GIF89a", bytes(100)],
)
def test_bytes_that_are_no_picture_are_told_so(data: bytes) -> None:
    """And kill nothing."""
    with pytest.raises(UnsupportedMedia, match="PNG, JPEG"):
        opened_image(data)


def test_a_format_that_nobody_needs_is_not_even_tried() -> None:
    """Each decoder is a door; rarely used ones are rarely repaired."""
    with pytest.raises(UnsupportedMedia):
        opened_image(file_of(Image.new("RGB", (4, 4)), "TIFF"))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_that_is_cut_off_is_told_so(form: str) -> None:
    """Half a picture is described as if it were all."""
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    whole = file_of(noise, form)
    with pytest.raises((ValidationFailed, UnsupportedMedia)):
        opened_image(whole[: len(whole) // 2])


def test_a_png_with_too_little_behind_its_header_is_damaged() -> None:
    """Its size alone is harmless."""
    with pytest.raises(ValidationFailed, match="cut off or damaged"):
        opened_image(png_that_says(100, 100))
