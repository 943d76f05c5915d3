"""Files that somebody sends to do harm, made when they are needed: none is in the repository."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

COLUMNS = 1_000_000


def png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """Make a grey PNG of any size; all its pixels are zero, so it is a thousandth of that."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    line = bytes(width + 1)
    body = b"".join(packer.compress(line) for _ in range(height if rows is None else rows))
    parts = ((b"IHDR", head), (b"IDAT", body + packer.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def decompression_bomb() -> bytes:
    """Make a PNG of 100 million pixels in a hundred kilobytes."""
    return png(10_000, 10_000)


def giant_header() -> bytes:
    """Make a PNG that says it is as large as one can say, and holds nothing."""
    return png(2**31 - 1, 2**31 - 1, rows=0)


def gzip_bomb(megabytes: int = 256) -> bytes:
    """Make so many megabytes of zeros, packed a thousandfold."""
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def wide_table() -> bytes:
    """Make a CSV with a million columns."""
    names = ",".join(f"c{n}" for n in range(COLUMNS))
    return f"{names}\n{',' * (COLUMNS - 1)}\n".encode()


def corpus(good_film: bytes) -> dict[str, bytes]:
    """Give all of it by name; ``good_film`` is what the broken ones are made of."""
    half = len(good_film) // 2
    return {
        "empty": b"",
        "decompression-bomb.png": decompression_bomb(),
        "giant-header.png": giant_header(),
        "gzip-bomb.gz": gzip_bomb(),
        "garbage": bytes((n * 7919 >> 3) & 0xFF for n in range(50_000)),
        "nothing-but-zeros": bytes(100_000),
        "truncated.mp4": good_film[:half],
        "no-index.mp4": good_film.replace(b"moov", b"free"),
        "damaged.mp4": good_film[:half] + bytes(200) + good_film[half + 200 :],
        "lies-about-a-box.mp4": b"\xff\xff\xff\xff" + good_film[4:],
        "playlist.m3u8": b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "concatenation.txt": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "text-with-nul.txt": b"good\nbad\0bad\n",
        "wide.csv": wide_table(),
        "page.mp4": b"<html><script>alert(1)</script></html>",
        "packed.jsonl.gz": gzip.compress(b'{"a": 1}\n'),
    }


def written(folder: Path, name: str, content: bytes) -> Path:
    """Write one of them into a file."""
    file = folder / name
    file.write_bytes(content)
    return file
