"""Texts as vectors, and texts in the order of their fitness."""

from __future__ import annotations

from pydantic import BaseModel, Field

from aima.ports.inference.request import ModelReply, ModelRequest, Usage


class EmbedRequest(ModelRequest):
    """Texts to turn into vectors."""

    input: str | list[str] = Field(description="A text, or several.")
    dimensions: int | None = Field(
        default=None, gt=0, description="Length of the vectors, where the model leaves a choice."
    )

    @property
    def texts(self) -> list[str]:
        """The texts as a list."""
        return [self.input] if isinstance(self.input, str) else self.input


class EmbedReply(ModelReply):
    """Vectors in the order of the texts."""

    embeddings: list[list[float]]
    embedding: list[float] = Field(description="The first of them.")
    usage: Usage


class RerankRequest(ModelRequest):
    """Texts to put into the order in which they answer a query."""

    query: str = Field(min_length=1)
    documents: list[str | dict[str, object]] = Field(
        description="Texts, or documents with a `text`; a document comes back as it was given."
    )
    top_n: int | None = Field(default=None, gt=0, description="Only so many of the best.")

    @property
    def texts(self) -> list[str]:
        """The texts of the documents.

        Raises:
            ValueError: a document has no `text`.
        """
        return [_text(document, index) for index, document in enumerate(self.documents)]


class Ranked(BaseModel):
    """A document at its place."""

    index: int = Field(description="Where it stood in the request.")
    score: float = Field(description="The higher, the better; comparable within one reply only.")
    document: str | dict[str, object]


class RerankReply(ModelReply):
    """The documents, the best first."""

    results: list[Ranked]
    usage: Usage | None = None


def _text(document: str | dict[str, object], index: int) -> str:
    text = document if isinstance(document, str) else document.get("text")
    if not isinstance(text, str):
        raise ValueError(f"`documents[{index}]` has no `text`")  # noqa: TRY004 - of a document, not of a program
    return text
