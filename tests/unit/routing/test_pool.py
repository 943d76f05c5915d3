import asyncio

import httpx2

from aima.adapters.engines.embedded import EmbeddedEngine
from aima.routing.pool import Pool
from aima.testing import MemoryArtifacts


async def test_an_engine_that_sleeps_is_not_started_to_tell_so() -> None:
    """A page of engines that somebody leaves open would start it again and again."""
    called = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        httpx2.AsyncClient(timeout=5) as http,
    ):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        engine = EmbeddedEngine("embedded", url, http, MemoryArtifacts(), awake=lambda: False)
        pool = Pool([engine], {})
        cards = [*await pool.cards(), await pool.card("embedded")]
    assert [card.status for card in cards] == ["sleeping"] * 2
    assert not called.is_set()
