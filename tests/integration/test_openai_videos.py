"""Films at the door, by OpenAI's official client: a fake engine, and runs on a real server."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
import pytest
import pytest_asyncio
from openai.types import Video
from temporalio.client import Client

from aima.catalog import discover
from aima.engines import engines_of
from aima.gateway.access.permission import Role
from aima.settings import Engine, Settings
from aima.stores import artifacts_of
from aima.testing.engines import FakeEngine, fake
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.video import FILM
from tests.integration.door import Door, door_on
from tests.integration.lab import lab_on

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:The Sora API"),  # OpenAI's own is; servers like it are not
]


@dataclass
class Studio:
    """A door, and the engine behind its worker."""

    door: Door
    engine: FakeEngine

    def client(self, role: Role = Role.OPERATOR) -> openai.AsyncOpenAI:
        """Make the official client, which must not try again by itself."""
        base = f"{self.door.http.base_url}/v1"
        return openai.AsyncOpenAI(base_url=base, api_key=role.value, max_retries=0)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def studio(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """Serve one door for the module."""
    unit = discover(None).units["inference.generate_video"]
    folder = tmp_path_factory.mktemp("films")
    async with fake("video") as engine, httpx2.AsyncClient() as http:
        settings = Settings(data=folder, engines={"there": Engine(kind="video", url=engine.url)})
        with lab_on(local, folder, more=(unit,)) as lab:
            engines = engines_of(settings, http, artifacts_of(lab.settings))
            filming = replace(lab, around=replace(lab.around, engines=engines))
            async with door_on(filming, engines=engines) as door:
                yield Studio(door, engine)


@pytest.fixture(autouse=True)
def well(studio: Studio) -> None:
    """Let the engine be well when a test begins."""
    studio.engine.heal()


async def test_the_official_client_has_a_film_made(studio: Studio) -> None:
    """Asked for, waited for, fetched whole and in part, listed, and thrown away."""
    async with studio.client() as client:
        begun = await client.videos.create(
            prompt="waves",
            model="fake",
            seconds="8",
            size="1280x720",
        )
        assert (begun.object, begun.model, begun.prompt) == ("video", "fake", "waves")
        assert begun.status in ("queued", "in_progress")
        done = await client.videos.poll(begun.id, poll_interval_ms=50)
        assert (done.id, done.status, done.progress) == (begun.id, "completed", 100)
        assert (done.seconds, done.size, done.error) == ("8", "1280x720", None)
        assert done.completed_at is not None
        assert done.completed_at >= done.created_at
        film = await client.videos.download_content(begun.id)
        assert (film.read(), film.response.headers["content-type"]) == (FILM, "video/mp4")
        part = await client.videos.download_content(begun.id, extra_headers={"range": "bytes=4-7"})
        assert (part.response.status_code, part.read()) == (206, b"ftyp")
        assert begun.id in [video.id async for video in client.videos.list(limit=1)]
        gone = await client.videos.delete(begun.id)
        assert (gone.id, gone.deleted) == (begun.id, True)
        with pytest.raises(openai.NotFoundError, match="no film"):
            await client.videos.retrieve(begun.id)
        assert begun.id not in [video.id async for video in client.videos.list()]


async def test_a_film_begins_with_a_picture(studio: Studio) -> None:
    """A file of a form, or an address in JSON; the same `Idempotency-Key` makes it once."""
    pixel = base64.b64decode(PIXEL)
    told: Any = {"image_url": f"data:image/png;base64,{PIXEL}"}
    once = {"idempotency-key": "a film"}
    async with studio.client() as client:
        by_file = await client.videos.create(
            prompt="a", model="fake", input_reference=("a.png", pixel)
        )
        asked = {"prompt": "a", "model": "fake", "input_reference": told}
        by_address = await client.post("/videos", body=asked, cast_to=Video)
        twice = [
            (await client.videos.create(prompt="b", model="fake", extra_headers=once)).id
            for _ in range(2)
        ]
    assert twice[0] == twice[1]
    for begun in (by_file, by_address):
        given, _ = await studio.door.lab.runs.started_with(begun.id)
        assert given["input"]["image"]["bytes"] == len(pixel)
        assert (await studio.door.lab.outcome(begun.id)).state == "completed"


async def test_a_film_that_is_deleted_stops_at_the_engine(studio: Studio) -> None:
    """Nobody waits for it; then there is none, and its content never was."""
    studio.engine.faults.load_delay = 1  # it is never done
    async with studio.client() as client:
        begun = await client.videos.create(prompt="a", model="fake")
        with pytest.raises(openai.ConflictError, match="is not there"):
            await client.videos.download_content(begun.id)
        await client.videos.delete(begun.id)
        assert (await studio.door.lab.outcome(begun.id)).state == "canceled"
        with pytest.raises(openai.NotFoundError, match="no film"):
            await client.videos.retrieve(begun.id)
        assert begun.id not in [video.id async for video in client.videos.list()]


async def test_a_film_that_fails_says_why(studio: Studio) -> None:
    """As a status and an error, which the client reads."""
    studio.engine.faults.load_delay = 1
    async with studio.client() as client:
        begun = await client.videos.create(prompt="a", model="fake")
        await studio.door.lab.runs.handle(begun.id).terminate("no power")
        failed = await client.videos.poll(begun.id, poll_interval_ms=50)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "cancelled"
    assert "terminated" in failed.error.message


async def test_what_makes_no_sense_is_refused_at_once(studio: Studio) -> None:
    """No run begins for it; and a run of something else is no film."""
    async with studio.client() as client:
        with pytest.raises(openai.NotFoundError) as missing:
            await client.videos.create(prompt="a", model="nobody")
        assert missing.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError) as wrong:
            await client.videos.create(prompt="a", model="fake", size="large")  # type: ignore[arg-type]
        assert wrong.value.param == "size"
        other = await studio.door.lab.start("name: other\nsteps: [{id: a, set: {b: 1}}]\n")
        for id_ in (other, "video-nothing"):
            with pytest.raises(openai.NotFoundError):
                await client.videos.retrieve(id_)
    async with studio.client(Role.VIEWER) as client:
        with pytest.raises(openai.PermissionDeniedError):
            await client.videos.create(prompt="a", model="fake")
