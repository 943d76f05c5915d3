"""The dialect of Hugging Face's text-generation-inference: OpenAI's, and what it is."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import openai


def tgi(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    return [*openai(faults), Route("/info", _info), Route("/metrics", _metrics)]


async def _info(_: Request) -> Response:
    return JSONResponse({"model_id": "fake", "version": "3.3.5", "max_concurrent_requests": 128})


async def _metrics(_: Request) -> Response:
    return PlainTextResponse(
        'tgi_batch_current_size 2\ntgi_queue_size 4\ntgi_request_success{method="generate"} 9\n'
    )
