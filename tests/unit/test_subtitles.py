"""Subtitles, as players read them."""

from aima.ports.inference import Segment
from aima.subtitles import srt, vtt

SAID = [
    Segment(start=0.0, end=1.2345, text=" Hello\n there. "),
    Segment(start=3661.9996, end=3662.5, text="a --> b"),
]


def test_subrip_is_numbered_and_has_a_comma() -> None:
    """Cues stand apart by one empty line, so a text has none; an arrow is the times' alone."""
    assert srt(SAID) == (
        "1\n00:00:00,000 --> 00:00:01,234\nHello there.\n\n"
        "2\n01:01:02,000 --> 01:01:02,500\na → b\n"
    )


def test_webvtt_has_its_head_and_a_point() -> None:
    """A browser reads nothing without the first line."""
    assert vtt(SAID[:1]) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.234\nHello there.\n"
    assert vtt([]).startswith("WEBVTT\n")
    assert srt([]) == ""
