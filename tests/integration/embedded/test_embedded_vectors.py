"""Embeddings, rerank and continued texts with the real models."""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt
import pytest

from tests.integration.embedded.running import RunningEngine

PASSAGES = {
    "warranty": "The Acme X1 comes with a warranty of 24 months from the date of purchase.",
    "battery": "A full charge keeps the drone in the air for about 90 minutes.",
    "weight": "Without its case the device weighs 1.2 kilograms.",
    "returns": "You may send an unused product back within 30 days and get your money back.",
    "office": "Our headquarters are in Berlin, close to the central station.",
    "support": "Call our help line on weekdays between nine and five.",
    "price": "The starter kit costs 249 euros, taxes included.",
    "colour": "It is sold in black, silver and dark green.",
}
QUESTIONS = {
    "How long is the guarantee?": "warranty",
    "How much flight time do I get?": "battery",
    "Is it heavy?": "weight",
    "Can I get a refund?": "returns",
    "Where is the company located?": "office",
    "When can I phone somebody?": "support",
    "What do I have to pay?": "price",
    "Which colours are there?": "colour",
}


def vectors(engine: RunningEngine, *texts: str, **more: object) -> npt.NDArray[np.float64]:
    """Have texts turned into vectors."""
    body = {"input": list(texts), **more}
    told = engine.client.post("/v1/embeddings", json=body).json()
    return np.array([entry["embedding"] for entry in told["data"]])


def test_likeness_is_what_the_model_was_published_with(engine: RunningEngine) -> None:
    """The numbers of the model's own documentation, to what 8 bits allow."""
    made = vectors(
        engine, "The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."
    )
    likeness = made @ made.T
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert np.allclose(likeness, published, atol=0.02)


def test_a_text_has_the_same_vector_alone_and_in_company(engine: RunningEngine) -> None:
    """An index made in batches must be found by questions asked alone."""
    alone = vectors(engine, "How long is the guarantee?")[0]
    among = vectors(engine, "A", "How long is the guarantee?", "word " * 300)[1]
    assert np.array_equal(alone, among)


def test_questions_find_their_passages(engine: RunningEngine) -> None:
    """Eight questions whose answers are known; words of their own in most of them."""
    passages = vectors(engine, *PASSAGES.values())
    questions = vectors(engine, *QUESTIONS)
    names = list(PASSAGES)
    found = [names[place] for place in (questions @ passages.T).argmax(axis=1)]
    right = sum(name == wanted for name, wanted in zip(found, QUESTIONS.values(), strict=True))
    assert right >= 7, found


def test_rerank_puts_the_answer_first(engine: RunningEngine) -> None:
    """The same questions, by late interaction."""
    right = 0
    for question, wanted in QUESTIONS.items():
        body = {"query": question, "documents": list(PASSAGES.values()), "top_n": 1}
        told = engine.client.post("/v1/rerank", json=body).json()
        assert told["kind"] == "late-interaction"
        [best] = told["results"]
        right += best["document"]["text"] == PASSAGES[wanted]
    assert right >= 7


def test_rerank_keeps_every_document_and_its_place(engine: RunningEngine) -> None:
    """Texts and documents alike, an empty one last."""
    body = {"query": "fruit", "documents": ["", "a stone", {"text": "an apple"}]}
    results = engine.client.post("/v1/rerank", json=body).json()["results"]
    assert [result["index"] for result in results] == [2, 1, 0]
    scores = [result["relevance_score"] for result in results]
    assert scores == sorted(scores, reverse=True)


def test_vectors_travel_as_numbers_or_packed(engine: RunningEngine) -> None:
    """The official client asks for the packed form."""
    plain = vectors(engine, "hello")[0]
    body = {"input": "hello", "encoding_format": "base64"}
    [entry] = engine.client.post("/v1/embeddings", json=body).json()["data"]
    packed = np.frombuffer(base64.b64decode(entry["embedding"]), "<f4")
    assert np.allclose(plain, packed, atol=1e-6)
    assert abs(float(np.linalg.norm(packed)) - 1) < 1e-5


def test_a_long_text_is_read_to_the_models_limit_and_told(engine: RunningEngine) -> None:
    """Nothing past it counts; the caller learns which texts were cut."""
    body = {"input": ["short", "word " * 2000]}
    told = engine.client.post("/v1/embeddings", json=body).json()
    assert told["truncated"] == [1]
    assert told["usage"]["prompt_tokens"] == 3 + 256


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ["fine", " "]}, "input.1"),
        ({"input": [1, 2, 3]}, "input"),
        ({"input": "x", "dimensions": 100}, "dimensions"),
        ({"input": ["x"] * 3000}, "input"),
    ],
)
def test_what_has_no_vector_is_told(
    engine: RunningEngine, body: dict[str, object], param: str
) -> None:
    """Which text, and why."""
    response = engine.client.post("/v1/embeddings", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["param"].startswith(param)


def test_a_text_is_continued_with_its_probabilities(engine: RunningEngine) -> None:
    """Each token, how likely it was, and what else came to mind."""
    body = {"prompt": "The capital of France is", "max_tokens": 2, "logprobs": 3}
    told = engine.client.post("/v1/completions", json=body).json()
    [choice] = told["choices"]
    assert choice["finish_reason"] == "length"
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == choice["text"]
    assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 3 for token in tokens)


def test_a_chat_tells_probabilities_when_asked(engine: RunningEngine) -> None:
    """And only then."""
    plain = engine.chat("Hello", max_tokens=2).json()["choices"][0]
    assert not plain.get("logprobs")
    told = engine.chat("Hello", max_tokens=2, logprobs=True, top_logprobs=1).json()["choices"][0]
    assert len(told["logprobs"]["content"]) == 2


def test_a_seed_makes_chance_repeatable(engine: RunningEngine) -> None:
    """And a stop text ends the answer."""
    free = {"temperature": 1.5, "max_tokens": 12}
    first, second, other = (
        engine.chat("Tell me a story", seed=seed, **free).json()["choices"][0]["message"]["content"]
        for seed in (1, 1, 2)
    )
    assert first == second != other
    stopped = engine.chat("Count: one two three four", stop=["two"]).json()["choices"][0]
    assert "two" not in stopped["message"]["content"]
