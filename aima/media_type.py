"""Telling what bytes are: the media type of a file by its content."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

HEAD_BYTES = 4096

# What a file begins with. Source: WHATWG MIME Sniffing Standard, section 6, and for formats it
# leaves out their own specifications (RFC 9559 for Matroska, ISO/IEC 11172-3 for MPEG audio).
_BEGINNINGS = tuple(
    (re.compile(pattern, re.DOTALL), media_type)
    for pattern, media_type in (
        (rb"(RIFF|RF64)....WAVE", "audio/wav"),
        (rb"FORM....AIF[FC]", "audio/aiff"),
        (rb"fLaC", "audio/flac"),
        (rb"OggS(?=.*\x80theora)", "video/ogg"),
        (rb"OggS", "audio/ogg"),
        (rb"ID3|\xff[\xfa\xfb\xf2\xf3\xe2\xe3]", "audio/mpeg"),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac"),
        (rb"....ftypM4[AB]", "audio/mp4"),
        (rb"\x1aE\xdf\xa3(?=.*webm)(?=.*A_)(?!.*V_)", "audio/webm"),
        (rb"\x1aE\xdf\xa3(?=.*webm)", "video/webm"),
        (rb"\x1aE\xdf\xa3", "video/x-matroska"),
        (rb"....ftyp(heic|heix|mif1)", "image/heic"),
        (rb"....ftypavif", "image/avif"),
        (rb"....ftypqt", "video/quicktime"),
        (rb"....ftyp", "video/mp4"),
        (rb"RIFF....AVI ", "video/x-msvideo"),
        (rb"RIFF....WEBP", "image/webp"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"BM", "image/bmp"),
        (rb"II\*\0|MM\0\*", "image/tiff"),
        (rb"%PDF-", "application/pdf"),
        (rb"PK\x03\x04", "application/zip"),
        (rb"\x1f\x8b", "application/gzip"),
    )
)
_JSON_BEGINNING = re.compile(
    r"""\s*(\{\s*("|\}\s*$)|\[\s*(["{\[]|\]\s*$|[-\d.eE+]+\s*[,\]]|(true|false|null)\b))"""
)
_TEXT_NAMES = {
    ".csv": "text/csv",
    ".htm": "text/html",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_BINARY_NAMES = {
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".mka": "audio/x-matroska",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".pdf": "application/pdf",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".zip": "application/zip",
}


def media_type_of(head: bytes, name: str) -> str:
    """Tell what a file is, by its first bytes, then by the ending of its name.

    A name decides only where the content allows: between two uses of one container (``.m4a`` is
    an ``.mp4`` without pictures), between kinds of text, and for bytes no format is known by.

    Args:
        head: the first bytes of the content, 4096 or all of them are enough; more are ignored.
        name: the file's name; only its ending counts.
    """
    head = head[:HEAD_BYTES]
    ending = PurePath(name).suffix.lower()
    text = _as_text(head)
    if text is not None:
        return _TEXT_NAMES.get(
            ending, "application/json" if _JSON_BEGINNING.match(text) else "text/plain"
        )
    named = _BINARY_NAMES.get(ending, "application/octet-stream")
    for beginning, media_type in _BEGINNINGS:
        if beginning.match(head):
            same_container = named.partition("/")[2] == media_type.partition("/")[2]
            return named if same_container else media_type
    return named


def _as_text(head: bytes) -> str | None:
    """Decode the beginning of a UTF-8 text; None if it is none."""
    if head.startswith(b"%PDF-") or b"\0" in head:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(head)  # a character cut at the end is no mistake
    except UnicodeDecodeError:
        return None
