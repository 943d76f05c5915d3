"""Transcription with the real model: good recordings, odd ones, and attacks."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import psutil
import pytest

from tests.integration.embedded.recordings import converted, noise, samples_of, silence, wav
from tests.integration.embedded.running import QUESTION, RunningEngine, eventually

SAID = "What is the capital of France?"


@pytest.fixture(scope="module")
def question() -> bytes:
    """The recording that AIMA ships."""
    return QUESTION.read_bytes()


def test_the_shipped_question_is_heard_exactly(engine: RunningEngine, question: bytes) -> None:
    """The first thing a new user sees is this sentence."""
    heard = engine.transcribe(question, response_format="verbose_json").json()
    assert heard["text"] == SAID
    assert heard["language"] == "en"
    assert heard["model"] == "whisper-tiny.en"
    assert heard["duration"] == pytest.approx(1.93, abs=0.02)
    (segment,) = heard["segments"]
    assert 0 <= segment["start"] < segment["end"] <= heard["duration"]
    assert heard["timings"]["total_ms"] > 0
    assert len(question) < 120_000


def test_the_forms_of_an_answer(engine: RunningEngine, question: bytes) -> None:
    """Clients choose how much they want to read."""
    plain = engine.transcribe(question, response_format="text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert plain.text == SAID
    subtitles = engine.transcribe(question, response_format="srt").text.splitlines()
    assert subtitles[0] == "1"
    assert subtitles[1].startswith("00:00:00,")
    assert subtitles[2] == SAID
    assert engine.transcribe(question, response_format="vtt").text.startswith("WEBVTT\n\n00:00:00.")
    streamed = engine.transcribe(question, stream="true").text.split("\n\n")
    assert [json.loads(event[6:])["type"] for event in streamed if event] == [
        "transcript.text.delta",
        "transcript.text.done",
    ]
    brief = engine.transcribe(question).json()
    assert brief.keys() == {"text", "timings"}


def test_what_is_heard_is_english_already(engine: RunningEngine, question: bytes) -> None:
    """So a program that wants everything in English may ask for that."""
    asked = {"response_format": "verbose_json"}
    files = {"file": ("speech.wav", question, "audio/wav")}
    told = engine.client.post("/v1/audio/translations", files=files, data=asked).json()
    assert (told["text"], told["task"], told["language"]) == (SAID, "translate", "en")


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp3", "libmp3lame"),
        ("flac", "flac"),
        ("ogg", "libopus"),
        ("webm", "libopus"),
        ("mp4", "aac"),
        ("adts", "aac"),
    ],
)
def test_common_containers_are_read(
    engine: RunningEngine, question: bytes, container: str, codec: str
) -> None:
    """People send what their telephone made, under any name."""
    heard = engine.transcribe(converted(question, container, codec), name="speech.wav").json()
    assert heard["text"] == SAID


def test_a_studio_recording_is_read(engine: RunningEngine, question: bytes) -> None:
    """20 MB for 13 s: 192 kHz and 32 bit in stereo, as a studio's card delivers it."""
    speech, rate = samples_of(question)
    lengthened = np.concatenate([speech, silence(13 - len(speech) / rate, rate=rate)])
    one_channel = np.repeat(lengthened, 192_000 // rate).astype(np.int32) << 16
    recording = wav(np.stack([one_channel, one_channel], axis=1), rate=192_000)
    assert len(recording) > 19_000_000
    heard = engine.transcribe(recording, response_format="verbose_json").json()
    assert heard["text"] == SAID
    assert heard["duration"] == pytest.approx(13, abs=0.01)


def test_words_far_into_a_long_recording_keep_their_place(
    engine: RunningEngine, question: bytes
) -> None:
    """Long recordings are heard in blocks; times count from the start of the whole."""
    speech, rate = samples_of(question)
    recording = wav(np.concatenate([speech, silence(150, rate=rate), speech]))
    heard = engine.transcribe(recording, response_format="verbose_json").json()
    assert heard["text"] == f"{SAID} {SAID}"
    first, second = heard["segments"]
    assert first["start"] < 1
    assert 151 < second["start"] < 153


@pytest.mark.parametrize("samples", [silence(5), noise(5)], ids=["silence", "noise"])
def test_silence_is_not_made_into_words(engine: RunningEngine, samples: np.ndarray) -> None:
    """Whisper alone hears "you" or "Thank you" in silence, and an assistant would answer it."""
    heard = engine.transcribe(wav(samples), response_format="verbose_json").json()
    assert heard["text"] == ""
    assert heard["segments"] == []


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043") + bytes(300)
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCATENATION = b"ffconcat version 1.0\nfile /etc/passwd\n"


@pytest.mark.parametrize(
    ("recording", "status", "code"),
    [
        (b"", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (wav(silence(0)), 400, "VALIDATION_ERROR"),
        (JPEG, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"not a recording " * 500, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (PLAYLIST, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (CONCATENATION, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (wav(noise(10))[:100_000], 400, "VALIDATION_ERROR"),
        (converted(wav(noise(10)), "flac", "flac")[:50_000], 400, "VALIDATION_ERROR"),
    ],
    ids=["no bytes", "no samples", "jpeg", "text", "playlist", "concatenation", "wav", "flac"],
)
def test_what_is_no_recording_is_refused(
    engine: RunningEngine, recording: bytes, status: int, code: str
) -> None:
    """Told at once and by its kind; nothing named inside a file is opened."""
    response = engine.transcribe(recording)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code)
    assert "/etc" not in error["message"]


def test_a_recording_of_unknown_length_is_read(engine: RunningEngine, question: bytes) -> None:
    """Programs that pipe a WAV cannot know its size and write the largest there is."""
    at = question.index(b"data") + 4
    piped = question[:at] + struct.pack("<I", 0xFFFFFFFF) + question[at + 4 :]
    assert engine.transcribe(piped).json()["text"] == SAID


def test_a_file_without_sound_is_refused(engine: RunningEngine) -> None:
    """A film without a sound track is a container that can be read, and holds nothing to hear."""
    response = engine.transcribe(_silent_film(), name="film.mp4")
    assert response.status_code == 415
    assert "no sound" in response.json()["error"]["message"]


@pytest.mark.nightly
def test_hours_in_a_small_file_are_refused_without_growing(engine: RunningEngine) -> None:
    """Silence compresses a thousandfold: the bound is on what comes out, not on what goes in."""
    engine.transcribe(wav(silence(1)))
    process = psutil.Process(engine.process.pid)
    before = process.memory_info().rss
    hours = converted(wav(silence(2.1 * 3600)), "flac", "flac")
    assert len(hours) < 2_000_000
    response = engine.transcribe(hours)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert process.memory_info().rss - before < 150_000_000


def test_another_language_is_refused(engine: RunningEngine, question: bytes) -> None:
    """The model would write English-sounding nonsense."""
    error = engine.transcribe(question, language="de").json()["error"]
    assert (error["code"], error["param"]) == ("VALIDATION_ERROR", "language")
    assert engine.transcribe(question, language="en-US").json()["text"] == SAID


def test_a_form_without_file_is_refused(engine: RunningEngine) -> None:
    """JSON where a form belongs is a common mistake."""
    response = engine.client.post("/v1/audio/transcriptions", json={"file": "speech.wav"})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


def test_a_client_that_leaves_stops_the_listening(engine: RunningEngine, question: bytes) -> None:
    """An hour of speech must not be heard to its end when its run was cancelled."""
    speech, _ = samples_of(question)
    body, kind = _form(wav(np.tile(speech, 300)))
    head = (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\n"
        f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    process = psutil.Process(engine.process.pid)
    with engine.connect() as connection:
        connection.sendall(head.encode() + body)
        eventually(lambda: process.cpu_percent(interval=0.3) > 50)
    eventually(lambda: process.cpu_percent(interval=0.3) < 10, within=10)
    assert engine.transcribe(question).json()["text"] == SAID


def _form(recording: bytes) -> tuple[bytes, str]:
    head = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return head + recording + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def _silent_film() -> bytes:
    import av

    into = io.BytesIO()
    with av.open(into, "w", "mp4") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return into.getvalue()


def test_each_word_has_its_time_when_asked(engine: RunningEngine, question: bytes) -> None:
    """Subtitles are made of these."""
    plain = engine.transcribe(question, response_format="verbose_json").json()
    assert "words" not in plain
    fields = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    words = engine.transcribe(question, **fields).json()["words"]
    assert [word["word"].strip("?").lower() for word in words] == [
        *("what", "is", "the", "capital", "of", "france")
    ]
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= plain["duration"]
