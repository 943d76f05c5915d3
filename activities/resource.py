"""What runs draw on: files, films, older names."""

from __future__ import annotations

from pydantic import Field

from activities.retrieval import MOST_TOP_K, STORE_ERRORS, Documents, Name, Vector
from aima.errors import NotFound
from aima.ports.inference import Request
from aima.ports.vectors import Filter, Search
from aima.unit import Context, Domain, Example

resource = Domain("resource")


class VectorSearch(Request):
    """A vector to look for."""

    vector: Vector = Field(description="The question's vector.")
    top_k: int = Field(default=5, ge=1, le=MOST_TOP_K, description="How many passages, at most.")
    collection: Name = "default"
    filter: Filter | None = Field(default=None, description="Look only at such documents.")


@resource.query(
    errors=(*STORE_ERRORS, NotFound),
    examples=(
        Example(
            "Nearest to a vector",
            {"vector": [1, 0, 0], "collection": "capitals", "top_k": 1},
            {
                "documents": [
                    {
                        "id": "de",
                        "text": "Berlin is the capital of Germany.",
                        "score": 0.970495,
                        "metadata": {},
                        "start": 0,
                        "similarity": 0.970495,
                    }
                ]
            },
        ),
    ),
)
async def search_vectors(request: VectorSearch, ctx: Context) -> Documents:
    """Find passages by a vector: the older name of `retrieval.search`."""
    wanted = Search(
        collection=request.collection,
        vector=request.vector,
        words=None,
        top_k=request.top_k,
        filter=request.filter,
    )
    return Documents(documents=await ctx.vectors.search(wanted))
