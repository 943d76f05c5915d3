import pytest

from aima.media_type import media_type_of

MKV = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01"


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
        (b"FORM\0\0\0\0AIFFCOMM", "audio/aiff"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"OggS\0\x02" + bytes(22) + b"OpusHead", "audio/ogg"),
        (b"OggS\0\x02" + bytes(22) + b"\x80theora", "video/ogg"),
        (b"ID3\x03\0\0\0\0\0\x0f", "audio/mpeg"),
        (b"\xff\xfb\x90\x64\0", "audio/mpeg"),
        (b"\xff\xf1\x50\x80\0", "audio/aac"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/mp4"),
        (b"\0\0\0\x18ftypisom\0\0\2\0", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "image/avif"),
        (MKV + b"\x42\x82\x84webm\0\x86\x86A_OPUS", "audio/webm"),
        (MKV + b"\x42\x82\x84webm\0\x86\x85V_VP9\x86\x86A_OPUS", "video/webm"),
        (MKV + b"\x42\x82\x88matroska\0", "video/x-matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\1\0\1\0", "image/gif"),
        (b"BM\x36\0\0\0\0", "image/bmp"),
        (b"II*\0\x08\0", "image/tiff"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04\x14\0", "application/zip"),
        (b"\x1f\x8b\x08\0\0", "application/gzip"),
        (b'{"a": 1}', "application/json"),
        (b" \n[1, 2]", "application/json"),
        (b"[]", "application/json"),
        (b"[-1.5e3]", "application/json"),
        (b'[{"a"', "application/json"),
        (b"Hello", "text/plain"),
        (b"{curly} words", "text/plain"),
        (b"[1st] list", "text/plain"),
        ("Grüße".encode(), "text/plain"),
        (b"\x80\x81\x82\0", "application/octet-stream"),
    ],
)
def test_content_tells_what_a_file_is(head: bytes, media_type: str) -> None:
    """A name may lie, or be missing; its content goes to the model."""
    assert media_type_of(head, "upload") == media_type
    assert media_type_of(head + b"\0" * 10, "a.txt").partition("/")[0] != "text"


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (b"\xff\xd8\xff\xe0\0", "speech.wav", "image/jpeg"),
        (b"BMW is a car", "text", "text/plain"),
        (b"ID3 tags hold titles", "a.mp3", "text/plain"),
        (b"\0\0\0\x18ftypisom\0", "speech.m4a", "audio/mp4"),
        (b"\0\0\0\x18ftypisom\0", "speech.M4A", "audio/mp4"),
        (MKV + b"\0webm", "speech.weba", "audio/webm"),
        (b"a,b\n1,2\n", "table.csv", "text/csv"),
        (b"# Title", "README.md", "text/markdown"),
        (b"name: x", "flow.yaml", "application/yaml"),
        (b"42", "answer.json", "application/json"),
        (b"\0\1\2\3", "raw.wav", "audio/wav"),
        (b"\0\1\2\3", "notes.txt", "application/octet-stream"),
        (b"just text", "speech.wav", "text/plain"),
    ],
)
def test_a_name_decides_where_the_content_allows(head: bytes, name: str, media_type: str) -> None:
    """An .m4a is an .mp4 without pictures; a text is what its name says; noise may be audio."""
    assert media_type_of(head, name) == media_type


def test_a_character_cut_in_two_is_still_text() -> None:
    """The head ends anywhere, also inside a character."""
    assert media_type_of("é".encode() * 5000, "a") == "text/plain"
    assert media_type_of(b"x" + "é".encode() * 5000, "a") == "text/plain"
