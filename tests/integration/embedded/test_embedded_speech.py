"""Speech with the real model, checked by having the recogniser read it back."""

from __future__ import annotations

import json

import numpy as np
import psutil
import pytest

from tests.integration.embedded.recordings import samples_of
from tests.integration.embedded.running import RunningEngine, eventually
from tests.wer import word_error_rate

SENTENCES = [
    ("The capital of France is Paris.", "The capital of France is Paris"),
    (
        "The meeting starts at 3:30 p.m. on March 3rd.",
        "The meeting starts at three thirty pm on March third",
    ),
    (
        "Dr. Smith paid $3.50 for two coffees, e.g. an espresso.",
        "Doctor Smith paid three dollars and fifty cents for two coffees for example an espresso",
    ),
    (
        "About 25% of the 1,234 guests are German.",
        "About twenty five percent of the one thousand two hundred thirty four guests are German",
    ),
    (
        "NASA launched Apollo 11 on 1969-07-16.",
        "NASA launched Apollo eleven on July sixteenth nineteen sixty nine",
    ),
    (
        "The FBI and the U.S. army bought 12 laptops with 16 GB of memory.",
        "The FBI and the US army bought twelve laptops with sixteen gigabytes of memory",
    ),
    (
        "Mr. Brown lives at 22 Baker Street in St. Louis.",
        "Mister Brown lives at twenty two Baker Street in Saint Louis",
    ),
    (
        "It was -5 °C, and the wind blew at 60 km/h.",
        "It was minus five degrees Celsius and the wind blew at sixty kilometers per hour",
    ),
    (
        "Mark Zuckerberg met Arnold Schwarzenegger and Angela Merkel.",
        "Mark Zuckerberg met Arnold Schwarzenegger and Angela Merkel",
    ),
    (
        "He ran 26.2 miles, and she came 2nd.",
        "He ran twenty six point two miles and she came second",
    ),
    (
        "Well, that's strange: nobody answered, so **we left**. 😀",
        "Well that's strange nobody answered so we left",
    ),
    (
        "I live in an old house, and I read books every day.",
        "I live in an old house and I read books every day",
    ),
]


def read_back(engine: RunningEngine, text: str, **more: object) -> str:
    """Say a text and write down what was said."""
    spoken = engine.speak(text, **more)
    assert spoken.status_code == 200, spoken.text
    return str(engine.transcribe(spoken.content).json()["text"])


@pytest.mark.parametrize(("text", "said"), SENTENCES, ids=[text[:24] for text, _ in SENTENCES])
def test_speech_is_understood(engine: RunningEngine, text: str, said: str) -> None:
    """Numbers, times, abbreviations, symbols and names no dictionary has: each must be audible."""
    assert word_error_rate(said, read_back(engine, text)) <= 0.2


def test_a_recording_tells_its_length_and_the_time_it_took(engine: RunningEngine) -> None:
    """Callers measure speed without decoding the sound."""
    spoken = engine.speak("The capital of France is Paris.")
    samples, rate = samples_of(spoken.content)
    assert spoken.headers["content-type"] == "audio/wav"
    assert rate == 24_000
    assert float(spoken.headers["x-aima-audio-seconds"]) == pytest.approx(
        len(samples) / rate, abs=0.01
    )
    assert float(spoken.headers["x-aima-total-ms"]) > 0
    assert float(spoken.headers["x-aima-load-ms"]) >= 0
    assert 1.5 < len(samples) / rate < 4
    assert 3_000 < np.abs(samples.astype(int)).max() < 32_767, "neither faint nor clipped"


def test_raw_samples_are_the_same_sound(engine: RunningEngine) -> None:
    """For players that want no container."""
    text = "Hello there."
    spoken = engine.speak(text, response_format="pcm")
    assert spoken.headers["content-type"].startswith("audio/pcm")
    samples, _ = samples_of(engine.speak(text).content)
    assert spoken.content == samples.tobytes()


def test_speed_changes_the_length(engine: RunningEngine) -> None:
    """A listener's choice between half and double."""
    text = "The quick brown fox jumps over the lazy dog."
    slow, fast = (
        float(engine.speak(text, speed=speed).headers["x-aima-audio-seconds"])
        for speed in (0.7, 1.5)
    )
    assert slow > 1.5 * fast


def test_every_voice_listed_speaks(engine: RunningEngine) -> None:
    """The list is the contract, under each voice's own name and its other ones."""
    listed = engine.client.get("/v1/audio/voices").json()["voices"]
    assert len(listed) == 5
    for voice in listed:
        assert {"id", "name", "model", "language", "description", "aliases"} <= voice.keys()
        assert engine.speak("Hello.", voice=voice["name"]).status_code == 200
    aliases = [alias for voice in listed for alias in voice["aliases"]]
    assert {"default", "en", "alloy", "nova"} <= set(aliases)
    assert engine.speak("Hello.", voice="Alloy").status_code == 200


def test_text_in_another_script_is_left_out_if_the_rest_can_be_said(engine: RunningEngine) -> None:
    """One foreign name must not fail a whole answer."""
    assert "hello" in read_back(engine, "你好. Hello and welcome.").lower()


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"input": "你好世界"}, 400, "VALIDATION_ERROR", "input"),
        ({"input": ""}, 400, "VALIDATION_ERROR", "input"),
        ({"input": "... !"}, 400, "VALIDATION_ERROR", "input"),
        ({"input": "a" * 20_001}, 413, "TOO_LARGE", None),
        ({"input": "Hello.", "voice": "nobody"}, 400, "VALIDATION_ERROR", "voice"),
        ({"input": "Hello.", "speed": 9}, 400, "VALIDATION_ERROR", "speed"),
        (
            {"input": "Hello.", "response_format": "midi"},
            400,
            "VALIDATION_ERROR",
            "response_format",
        ),
        ({"input": "Hello.", "model": "tts-9"}, 404, "MODEL_NOT_FOUND", "model"),
    ],
)
def test_what_cannot_be_said_is_told(
    engine: RunningEngine, body: dict[str, object], status: int, code: str, param: str | None
) -> None:
    """Which field, and the way out."""
    response = engine.client.post("/v1/audio/speech", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)


def test_an_unknown_voice_says_which_exist(engine: RunningEngine) -> None:
    """Names of voices are nobody's to know by heart."""
    message = engine.speak("Hello.", voice="nobody").json()["error"]["message"]
    assert "nobody" in message
    assert "jm_kumo" in message
    assert "alloy" in message


def test_a_client_that_leaves_stops_the_voice_within_a_sentence(engine: RunningEngine) -> None:
    """A sentence takes seconds to make; a cancel must not wait for its end."""
    engine.speak("Hello.")
    sentence = "This sentence is long, and it goes on and on, because nobody ever told it to stop, "
    body = json.dumps({"input": sentence * 20}).encode()
    head = (
        "POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    process = psutil.Process(engine.process.pid)
    with engine.connect() as connection:
        connection.sendall(head.encode() + body)
        eventually(lambda: process.cpu_percent(interval=0.3) > 20)
    eventually(lambda: process.cpu_percent(interval=0.3) < 10, within=8)
    assert engine.speak("Hello.").status_code == 200


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("flac", "audio/flac")],
)
def test_every_format_is_understood_by_the_recogniser(
    engine: RunningEngine, form: str, media_type: str
) -> None:
    """Encoded and decoded again, it is still speech, and as long as before."""
    said = engine.speak("The capital of France is Paris.", response_format=form)
    assert said.headers["content-type"].partition(";")[0] == media_type
    heard = engine.transcribe(said.content, response_format="verbose_json").json()
    assert word_error_rate("The capital of France is Paris", heard["text"]) < 0.2
    assert abs(heard["duration"] - float(said.headers["x-aima-audio-seconds"])) < 0.15
