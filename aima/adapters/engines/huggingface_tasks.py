"""Hugging Face's hosted models: the inference API of the hub, and dedicated endpoints.

Source: `huggingface_hub.InferenceClient` with its provider `hf-inference`, and the task pages of
Hugging Face's documentation. The tests hold that client and this one to the same fake. Chats of
the other providers go through the hub's router, an engine of kind ``openai``.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import quote

from pydantic import BaseModel, RootModel

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.openai import OpenAIChats, OpenAICompletes, kept
from aima.adapters.engines.reranking import ranked, texts_of
from aima.adapters.engines.server import given
from aima.errors import ExecutionFailed, NotFound, ValidationFailed
from aima.media import seconds_of
from aima.media_image import image_size
from aima.ports.artifacts import Artifact
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import (
    ChatRequest,
    Detection,
    DetectReply,
    DetectRequest,
    EmbedReply,
    EmbedRequest,
    ImageReply,
    ImageRequest,
    ModelCard,
    ModelType,
    Pieces,
    Progress,
    RerankReply,
    RerankRequest,
    Segment,
    SpeechReply,
    SynthesizeRequest,
    TranscribeRequest,
    Transcript,
    Usage,
    Voice,
    Word,
)


class _Vectors(RootModel[list[list[float]]]):
    """An answer of the task `feature-extraction`."""


class _Scores(RootModel[list[float]]):
    """An answer of the task `sentence-similarity`."""


class _Found(RootModel[list[Detection]]):
    """An answer of the task `object-detection`."""


class _Chunk(BaseModel):
    text: str
    timestamp: tuple[float, float | None]

    def segment(self, seconds: float) -> Segment:
        """Give it as a stretch of speech; the last one does not say its end, which is the last."""
        start, end = self.timestamp
        return Segment(start=start, end=max(start, seconds) if end is None else end, text=self.text)

    def word(self, seconds: float) -> Word:
        """Give it as a word."""
        segment = self.segment(seconds)
        return Word(start=segment.start, end=segment.end, word=self.text.strip())


class _Heard(BaseModel):
    text: str
    chunks: list[_Chunk] = []


@dataclass(frozen=True)
class HubInference(OpenAIChats, ChatDescribes):
    """The hub's inference API, which has a door for each model.

    Attributes:
        serves: what its models are, by name: it keeps no list of those that it would run.
    """

    PRODUCT: ClassVar[Product] = Product(
        kind="hf_inference",
        title="Hugging Face's inference API",
        start="",
        port=0,
        types=("llm", "vlm", "embedding", "rerank", "asr", "tts", "diffusion", "detection"),
        formats=(),
        many=True,
    )

    serves: dict[str, ModelType] = field(default_factory=dict)

    def _door(self, model: str) -> str:
        """Tell where a model is."""
        return f"/models/{quote(model)}"

    def _pipeline(self, model: str, task: str) -> str:
        """Tell where one of the two tasks is that a model may have beside each other."""
        return f"{self._door(model)}/pipeline/{task}"

    def _chats_at(self, model: str) -> str:
        return f"{self._door(model)}/v1/chat/completions"

    async def _talk(self, request: ChatRequest) -> dict[str, object]:
        body = await super()._talk(request)
        if request.json_schema is not None:  # in the words of its text-generation-inference
            body["response_format"] = {"type": "json_object", "value": request.json_schema}
        return body

    async def models(self) -> list[ModelCard]:
        """Give the models that the settings name, if anybody answers there.

        Raises:
            ValidationFailed: they name none.
        """
        if not self.serves:
            raise ValidationFailed(
                f"setting 'engines.{self.name}.serves': engine {self.name!r} keeps no list of its "
                'models; say what they are, such as {"org/model" = "embedding"}'
            )
        with suppress(NotFound):  # it answers
            await self._get("/health")
        return [
            ModelCard(name=name, engine=self.name, type=type_)
            for name, type_ in self.serves.items()
        ]

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors."""
        body = given(inputs=request.texts, dimensions=request.dimensions)
        door = self._pipeline(request.model, "feature-extraction")
        vectors = self._read(_Vectors, await self._post(door, body)).root
        if len(vectors) != len(request.texts):
            raise ExecutionFailed(
                f"engine {self.name!r} gave {len(vectors)} vectors for {len(request.texts)} texts"
            )
        first = vectors[0] if vectors else []
        return EmbedReply(embeddings=vectors, embedding=first, usage=Usage(), model=request.model)

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Give the documents, those first that mean most nearly what the query does."""
        inputs = {"source_sentence": request.query, "sentences": texts_of(request)}
        door = self._pipeline(request.model, "sentence-similarity")
        scores = self._read(_Scores, await self._post(door, {"inputs": inputs})).root
        places = enumerate(scores)
        return RerankReply(results=ranked(request, places, self.name), model=request.model)

    async def transcribe(self, request: TranscribeRequest, *, pieces: Pieces) -> Transcript:
        """Write down a recording."""
        if request.prompt is not None:
            raise ValidationFailed(f"`prompt`: engine {self.name!r} takes none; leave it out")
        task = "translate" if request.translate else None
        told: dict[str, object] = {"return_timestamps": "word" if request.words else True}
        if how := given(language=request.language, task=task):
            told["generation_parameters"] = how
        heard = self._read(_Heard, await self._asked(request.model, request.audio, told))
        pieces(heard.text.strip())
        seconds = seconds_of(await self.artifacts.path(request.audio))
        return Transcript(
            text=heard.text.strip(),
            segments=[] if request.words else [chunk.segment(seconds) for chunk in heard.chunks],
            words=[chunk.word(seconds) for chunk in heard.chunks] if request.words else None,
            language=request.language or "",
            duration=seconds,
            model=request.model,
        )

    async def synthesize(self, request: SynthesizeRequest, *, pieces: Pieces) -> SpeechReply:
        """Say a text, in the format that the model has; the reply tells it."""
        speed = None if request.speed == 1 else request.speed
        body = {"inputs": request.text, "parameters": given(voice=request.voice, speed=speed)}
        async with self._stream(self._door(request.model), json=body) as response:
            audio = await kept(self, response, f"audio/{request.format}", pieces)
        return SpeechReply(
            audio=audio,
            format=audio.media_type.partition("/")[2].removeprefix("x-"),
            duration=seconds_of(await self.artifacts.path(audio)),
            model=request.model,
        )

    async def voices(self) -> list[Voice]:
        """Have no list of them."""
        return []

    async def generate_image(self, request: ImageRequest, *, progress: Progress) -> ImageReply:
        """Make pictures one after the other, in the format that the model has."""
        images = []
        for number in range(request.n):
            progress(f"{number} of {request.n} made")
            seed = None if request.seed is None else request.seed + number
            images.append(await self._drawn(request.model_copy(update={"seed": seed})))
        form = images[0].media_type.partition("/")[2]
        return ImageReply(images=images, format=form, model=request.model)

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Find things in a picture."""
        sure: dict[str, object] = {"threshold": request.threshold}
        found = self._read(_Found, await self._asked(request.model, request.image, sure)).root
        width, height = image_size(await self.artifacts.path(request.image))
        wanted = [one for one in found if request.labels is None or one.label in request.labels]
        return DetectReply(
            detections=sorted(wanted, key=lambda one: -one.score),
            width=width,
            height=height,
            model=request.model,
        )

    async def _asked(self, model: str, file: Artifact, parameters: dict[str, object]) -> bytes:
        """Ask about a recording or a picture."""
        body = {"inputs": await self._written(file), "parameters": parameters}
        return await self._post(self._door(model), body)

    async def _drawn(self, request: ImageRequest) -> Artifact:
        width, _, height = (request.size or "").partition("x")
        sides = given(width=int(width) if width else None, height=int(height) if height else None)
        told = given(
            negative_prompt=request.negative_prompt,
            num_inference_steps=request.steps,
            guidance_scale=request.guidance,
            seed=request.seed,
        )
        body: dict[str, object] = {"inputs": request.prompt, "parameters": told | sides}
        if request.image is not None:
            told |= {"prompt": request.prompt, **({"target_size": sides} if sides else {})}
            body = {"inputs": await self._written(request.image), "parameters": told}
        door, form = self._door(request.model), f"image/{request.format}"
        async with self._stream(door, json=body, accept=form) as response:
            kind = response.headers.get("content-type", "").partition(";")[0].strip()
            if not kind.startswith("image/"):
                raise ExecutionFailed(
                    f"engine {self.name!r} answered {kind or 'something'} instead of a picture"
                )
            return await self.artifacts.put(await self._all(response), media_type=kind)

    async def _written(self, file: Artifact) -> str:
        return base64.b64encode(await self.artifacts.get(file)).decode("ascii")


@dataclass(frozen=True)
class HubEndpoint(HubInference, OpenAICompletes):
    """A dedicated endpoint: one model, which answers at the address itself."""

    PRODUCT: ClassVar[Product] = Product(
        kind="hf_endpoint",
        title="a dedicated endpoint of Hugging Face",
        start="",
        port=0,
        types=HubInference.PRODUCT.types,
        formats=(),
        many=False,
    )

    def _door(self, model: str) -> str:
        """Tell where its model is."""
        del model
        return "/"

    def _chats_at(self, model: str) -> str:
        del model
        return "chat/completions"

    def _pipeline(self, model: str, task: str) -> str:
        """Tell where its model is; it has one task."""
        del task
        return self._door(model)
