"""The dialect of Jina's and Cohere's rerank, as Xinference, LocalAI and others speak it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.vllm import vllm


def rerank(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect, which vLLM has as well."""
    return [door for door in vllm(faults) if door.path in ("/v1/models", "/v1/rerank")]
