"""Many requests in one step."""

from __future__ import annotations

from pydantic import BaseModel, Field, ValidationError

from aima.errors import AimaError, ValidationFailed
from aima.ports.artifacts import Artifact
from aima.ports.inference.chat import ChatRequest, Message
from aima.ports.inference.pictures import IMAGE, DescribeRequest, Frame, Perceived
from aima.ports.inference.request import ModelRequest, Usage


class ItemError(BaseModel):
    """Why one item has no answer."""

    code: str
    message: str

    @classmethod
    def of(cls, error: AimaError) -> ItemError:
        """Write an error down."""
        return cls(code=error.code, message=error.message)


class BatchRequest(ModelRequest):
    """Items to answer, each by a chat of its own."""

    items: list[str | dict[str, object]] = Field(
        description="Texts, or chats as `inference.chat` takes them; a chat may name a model."
    )
    system: str | None = Field(default=None, description="How to answer each text.")
    prompt: str | None = Field(default=None, description="Said before each text.")
    max_tokens: int | None = Field(default=None, gt=0, description="For each text.")
    temperature: float | None = Field(default=None, ge=0, le=2, description="For each text.")
    batch_size: int = Field(default=4, ge=1, le=64, description="How many at once.")

    def chat(self, index: int) -> ChatRequest:
        """Give the chat of an item.

        Raises:
            ValidationFailed: it is none.
        """
        item = self.items[index]
        if not isinstance(item, str):
            try:
                return ChatRequest.model_validate({"model": self.model, **item})
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                raise ValidationFailed(
                    f"item {index} is no chat: {where}: {first['msg']}"
                ) from error
        text = f"{self.prompt}\n\n{item}" if self.prompt else item
        said = [Message(role="user", content=text)]
        if self.system:
            said.insert(0, Message(role="system", content=self.system))
        return ChatRequest(
            model=self.model,
            messages=said,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
        )


class BatchResult(BaseModel):
    """What became of an item."""

    index: int = Field(description="Where it stood in the request.")
    content: str | None = Field(default=None, description="The answer; absent after an error.")
    finish_reason: str | None = None
    error: ItemError | None = None
    usage: Usage | None = None


class BatchReply(BaseModel):
    """What became of the items, in their order."""

    results: list[BatchResult]
    succeeded: int
    failed: int
    usage: Usage

    @classmethod
    def of(cls, results: list[BatchResult]) -> BatchReply:
        """Count what became of the items."""
        used = [result.usage for result in results if result.usage is not None]
        failed = sum(result.error is not None for result in results)
        return cls(
            results=results,
            succeeded=len(results) - failed,
            failed=failed,
            usage=Usage(
                prompt_tokens=sum(usage.prompt_tokens for usage in used),
                completion_tokens=sum(usage.completion_tokens for usage in used),
                total_tokens=sum(usage.total_tokens for usage in used),
            ),
        )


class BatchDescribeRequest(ModelRequest):
    """Pictures to put into words, such as the frames of a film."""

    images: list[Artifact | Frame] = Field(json_schema_extra=IMAGE)
    prompt: str | None = Field(default=None, description="What to tell of each.")
    max_tokens: int | None = Field(default=None, gt=0, description="For each picture.")
    batch_size: int = Field(default=4, ge=1, le=64, description="How many at once.")

    def describe(self, index: int) -> DescribeRequest:
        """Give the request for one picture."""
        image = self.images[index]
        return DescribeRequest(
            model=self.model,
            image=image.image if isinstance(image, Frame) else image,
            prompt=self.prompt,
            max_tokens=self.max_tokens,
        )

    def time(self, index: int) -> float | None:
        """Tell when a picture is shown, if it is a frame of a film."""
        image = self.images[index]
        return image.time if isinstance(image, Frame) else None


class Described(BaseModel):
    """What became of a picture."""

    index: int = Field(description="Where it stood in the request.")
    description: str | None = Field(default=None, description="Absent after an error.")
    kind: str | None = Field(default=None, description="`vlm` or `perception`.")
    perceived: Perceived | None = None
    time: float | None = Field(default=None, description="Of a frame: when it is shown, seconds.")
    error: ItemError | None = None


class BatchDescribeReply(BaseModel):
    """The pictures in words, in their order."""

    descriptions: list[str] = Field(description="Empty where a picture could not be described.")
    results: list[Described]
    succeeded: int
    failed: int

    @classmethod
    def of(cls, results: list[Described]) -> BatchDescribeReply:
        """Count what became of the pictures."""
        failed = sum(result.error is not None for result in results)
        return cls(
            descriptions=[result.description or "" for result in results],
            results=results,
            succeeded=len(results) - failed,
            failed=failed,
        )
