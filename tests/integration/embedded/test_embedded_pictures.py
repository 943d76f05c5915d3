"""Things, text and words for pictures, and patterns, with the real models."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.integration.embedded.pictures import ASTRONAUT, COFFEE, data_url, invoice, png
from tests.integration.embedded.running import RunningEngine

ENGLISH = {"astronaut": ASTRONAUT, "coffee": COFFEE}


def detect(engine: RunningEngine, picture: bytes, **more: object) -> dict[str, object]:
    """Have a picture looked through."""
    body = {"image": data_url(picture), **more}
    told: dict[str, object] = engine.client.post("/v1/detections", json=body).json()
    return told


def labels(told: dict[str, object]) -> list[str]:
    """Name what was found."""
    found = told["detections"]
    assert isinstance(found, list), told
    return [str(one["label"]) for one in found]


@pytest.mark.parametrize(("name", "label"), [("astronaut", "person"), ("coffee", "cup")])
def test_a_thing_is_found_where_it_is(engine: RunningEngine, name: str, label: str) -> None:
    """The box lies inside the picture and around its middle."""
    told = detect(engine, ENGLISH[name].read_bytes())
    assert labels(told)[0] == label
    answer: Any = told
    box, width, height = answer["detections"][0]["box"], answer["width"], answer["height"]
    assert 0 <= box["xmin"] < 0.6 * width
    assert 0.6 * width < box["xmax"] <= width
    assert 0 <= box["ymin"] < box["ymax"] <= height
    assert told["model"] == "nanodet-g"


def test_two_of_a_kind_are_two(engine: RunningEngine) -> None:
    """Boxes that lie on each other are one thing, boxes beside each other are not."""
    one = Image.open(ASTRONAUT)
    two = Image.new("RGB", (one.width * 2, one.height))
    two.paste(one, (0, 0))
    two.paste(one, (one.width, 0))
    assert labels(detect(engine, png(two))).count("person") == 2


def test_boxes_are_in_pixels_of_the_picture_that_was_sent(engine: RunningEngine) -> None:
    """Whatever size the model works with; twice the picture has twice the box."""
    small = Image.open(COFFEE)
    large = small.resize((small.width * 4, small.height * 4))
    before, after = (detect(engine, png(picture)) for picture in (small, large))
    boxes = [told["detections"][0]["box"] for told in (before, after)]  # type: ignore[index]
    assert (after["width"], after["height"]) == large.size
    assert all(abs(boxes[1][side] / 4 - boxes[0][side]) < 12 for side in boxes[0])


def test_a_turned_photograph_is_looked_at_upright(engine: RunningEngine) -> None:
    """As its camera says it was held."""
    exif = Image.Exif()
    exif[0x0112] = 6
    into = io.BytesIO()
    Image.open(ASTRONAUT).rotate(90).save(into, "JPEG", exif=exif, quality=95)
    assert "person" in labels(detect(engine, into.getvalue()))


def test_threshold_and_labels_choose(engine: RunningEngine) -> None:
    """Nothing that is less sure, and nothing else."""
    photo = COFFEE.read_bytes()
    assert labels(detect(engine, photo, threshold=0.99)) == []
    assert set(labels(detect(engine, photo, threshold=0.05, labels=["spoon"]))) <= {"spoon"}
    assert "knows no 'unicorn'" in str(detect(engine, photo, labels=["unicorn"]))


def test_an_empty_picture_holds_nothing(engine: RunningEngine) -> None:
    """One pixel is the smallest picture there is."""
    assert labels(detect(engine, png(Image.new("RGB", (1, 1))))) == []
    assert labels(detect(engine, png(Image.new("RGB", (2000, 3), "blue")))) == []


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        ("http://127.0.0.1/picture.png", 400, "VALIDATION_ERROR"),
        ("file:///etc/passwd", 400, "VALIDATION_ERROR"),
        ("no base64!", 400, "VALIDATION_ERROR"),
        (base64.b64encode(b"no picture").decode(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (data_url(png(Image.new("1", (9000, 9000)))), 413, "TOO_LARGE"),
        (data_url(COFFEE.read_bytes()[:5000]), 400, "VALIDATION_ERROR"),
    ],
    ids=["address", "file", "no base64", "no picture", "bomb", "cut off"],
)
@pytest.mark.parametrize("path", ["/v1/detections", "/v1/describe"])
def test_a_hostile_picture_is_refused_and_the_engine_lives(
    engine: RunningEngine, path: str, image: str, status: int, code: str
) -> None:
    """A few kilobytes must not take gigabytes, and no address is fetched."""
    response = engine.client.post(path, json={"image": image})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert engine.client.get("/health").status_code == 200


def test_a_picture_is_described_from_what_was_found(engine: RunningEngine) -> None:
    """The words may vary; they name what is there, and the reply says how they came about."""
    told = engine.client.post("/v1/describe", json={"image": data_url(COFFEE)}).json()
    assert told["kind"] == "perception"
    assert told["model"] == "perception"
    assert "cup" in told["description"]
    perceived = told["perceived"]
    assert "cup" in [thing["label"] for thing in perceived["detections"]]
    assert "brown" in perceived["colours"]
    assert 0.2 < perceived["brightness"] < 0.6
    assert perceived["text"] == []


def test_an_invoice_is_read_from_the_top(engine: RunningEngine) -> None:
    """Every line, and no model has a hand in it."""
    told = engine.client.post("/v1/describe", json={"image": data_url(png(invoice()))}).json()
    said = " ".join(told["perceived"]["text"]).replace(" ", "")
    for text in ("ACMEToolsLtd.", "InvoiceNo4711", "2026-12-01", "25.00", "Total:$128.50"):
        assert text in said
    assert said.index("ACME") < said.index("4711") < said.index("Total")
    assert "4711" in told["description"]


def test_a_question_is_answered_from_the_facts_or_with_them(engine: RunningEngine) -> None:
    """The small model may fail; then the facts themselves are the answer."""
    body = {"image": data_url(png(invoice())), "prompt": "What is the number of the invoice?"}
    told = engine.client.post("/v1/describe", json=body).json()
    assert told["description"]
    assert "Invoice No 4711" in told["perceived"]["text"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_may_hold_a_picture(engine: RunningEngine, *, stream: bool) -> None:
    """Under the name of what looked at it."""
    parts = [
        {"type": "text", "text": "What is in the picture?"},
        {"type": "image_url", "image_url": {"url": data_url(COFFEE)}},
    ]
    body = {
        "messages": [{"role": "user", "content": parts}],
        "max_tokens": 24,
        "stream": stream,
    }
    response = engine.client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    if stream:
        events = [json.loads(e[6:]) for e in response.text.split("\n\n") if e.startswith("data: {")]
        assert {event["model"] for event in events} == {"perception"}
    else:
        told = response.json()
        assert told["model"] == "perception"
        assert told["choices"][0]["message"]["content"]
        assert told["usage"]["prompt_tokens"] > 40, "the facts are part of the prompt"


def test_a_model_that_reads_only_says_which_one_sees(engine: RunningEngine) -> None:
    """It must not answer as if it had looked."""
    parts = [{"type": "image_url", "image_url": {"url": data_url(COFFEE)}}]
    response = engine.client.post(
        "/v1/chat/completions",
        json={
            "model": "smollm2-135m-instruct",
            "messages": [{"role": "user", "content": parts}],
        },
    )
    assert response.status_code == 404
    assert "perception" in response.json()["error"]["message"]


def painted(engine: RunningEngine, prompt: str, **more: object) -> list[Image.Image]:
    """Have pictures made."""
    body = {"prompt": prompt, "size": "96x64", **more}
    told = engine.client.post("/v1/images/generations", json=body).json()
    assert told["kind"] == "procedural"
    files = [base64.b64decode(made["b64_json"]) for made in told["data"]]
    return [Image.open(io.BytesIO(file)) for file in files]


def test_a_pattern_depends_on_prompt_and_seed_alone(engine: RunningEngine) -> None:
    """The same asked twice is the same picture."""
    first, second = (painted(engine, "a calm lake", seed=3)[0] for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != painted(engine, "a calm lake", seed=4)[0].tobytes()
    assert first.tobytes() != painted(engine, "a loud town", seed=3)[0].tobytes()


def test_several_patterns_have_one_seed_after_the_other(engine: RunningEngine) -> None:
    """So that the one that pleases can be made again, alone."""
    first, second = painted(engine, "rain", n=2, seed=5)
    assert second.tobytes() == painted(engine, "rain", seed=6)[0].tobytes()
    assert first.tobytes() != second.tobytes()


@pytest.mark.parametrize(("word", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_colour_that_the_prompt_names_is_the_main_one(
    engine: RunningEngine, word: str, channel: int
) -> None:
    """The least that can be asked of a picture."""
    [picture] = painted(engine, f"something {word}")
    means = np.asarray(picture.convert("RGB")).mean(axis=(0, 1))
    assert int(means.argmax()) == channel


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_pattern_has_size_and_format_asked_for(engine: RunningEngine, form: str) -> None:
    """Any shape."""
    [picture] = painted(engine, "x", size="50x120", output_format=form)
    assert (picture.size, str(picture.format).lower()) == ((50, 120), form)


@pytest.mark.parametrize("wrong", [{"size": "9999x10"}, {"size": "big"}, {"n": 99}, {"prompt": ""}])
def test_a_pattern_that_cannot_be_made_is_refused(
    engine: RunningEngine, wrong: dict[str, object]
) -> None:
    """Before anything is computed."""
    body = {"prompt": "x", **wrong}
    response = engine.client.post("/v1/images/generations", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
