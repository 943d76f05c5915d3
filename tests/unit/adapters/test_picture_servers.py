"""Pictures of A1111 and ComfyUI, and films by jobs."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from aima.adapters.engines.comfyui import ComfyEngine
from aima.engines import engines_of
from aima.errors import (
    EngineNotRunning,
    ExecutionFailed,
    RateLimited,
    UnsupportedMedia,
    ValidationFailed,
)
from aima.ports.inference import ImageRequest, VideoRequest, ignored
from aima.settings import Engine, EngineKind, Settings
from aima.testing import FakeMemory
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.video import FILM
from tests.unit.adapters.engine_server import EngineServer
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = ImageRequest(model="fake", prompt="red", n=2, size="64x32", steps=3, seed=7, guidance=5)
SUN = VideoRequest(model="fake", prompt="the sun", duration=2, seed=7)


def engine(faked: Faked, kind: EngineKind, **told: object) -> Any:  # noqa: ANN401 - any of them
    """Give AIMA's client of a fake."""
    return faked.engine(kind, **told)


async def videos(faked: Faked, kind: EngineKind) -> list[dict[str, Any]]:
    """List the jobs that a fake knows."""
    answer = await faked.http.get(faked.running[kind].url + "/v1/videos")
    jobs: list[dict[str, Any]] = answer.json()["data"]
    return jobs


async def queue(faked: Faked, part: str) -> list[object]:
    """List the runs that the fake ComfyUI works at, or has in its line."""
    answer = await faked.http.get(faked.running["comfyui"].url + "/queue")
    runs: list[object] = answer.json()[part]
    return runs


# --- pictures -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["a1111", "comfyui", "sdcpp"])
async def test_each_draws(faked: Faked, kind: EngineKind) -> None:
    """As many as were asked for, kept as artifacts."""
    reply = await engine(faked, kind).generate_image(RED, progress=ignored)
    assert (len(reply.images), reply.format, reply.kind) == (2, "png", "diffusion")
    assert await faked.artifacts.get(reply.images[0]) == base64.b64decode(PIXEL)


async def test_a1111_is_asked_in_its_own_words(faked: Faked, server: EngineServer) -> None:
    """And for a change of a picture at another door."""
    server.answer("sdapi/v1/txt2img", {"images": [PIXEL]})
    server.answer("sdapi/v1/img2img", {"images": [PIXEL]})
    a1111 = engine(faked, "a1111")
    object.__setattr__(a1111, "url", f"{server.url}/v1")
    await a1111.generate_image(RED, progress=ignored)
    assert server.body == {
        "prompt": "red",
        "width": 64,
        "height": 32,
        "batch_size": 2,
        "steps": 3,
        "cfg_scale": 5,
        "seed": 7,
        "override_settings": {"sd_model_checkpoint": "fake"},
    }
    picture = await faked.artifacts.put(b"png", media_type="image/png")
    await a1111.generate_image(RED.model_copy(update={"image": picture}), progress=ignored)
    assert server.body["init_images"] == ["cG5n"]
    with pytest.raises(UnsupportedMedia, match="makes png"):
        await a1111.generate_image(RED.model_copy(update={"format": "webp"}), progress=ignored)


async def test_a1111_moves_checkpoints(faked: Faked) -> None:
    """One is in at a time."""
    a1111 = engine(faked, "a1111")

    async def loaded() -> list[str]:
        return [card.name for card in await a1111.models() if card.loaded]

    await a1111.load("other", progress=ignored)
    assert await loaded() == ["other"]
    await a1111.unload("other")
    assert await loaded() == []


async def test_a_picture_that_is_given_up_is_interrupted(faked: Faked) -> None:
    """So that the next one need not wait for it."""
    faked.running["a1111"].faults.token_seconds = 3600
    a1111 = engine(faked, "a1111")
    drawing = asyncio.create_task(a1111.generate_image(RED, progress=ignored))
    url = faked.running["a1111"].url
    while not (await faked.http.post(f"{url}/__faults", json={})).json()["asked"]:
        pass
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    told = (await faked.http.get(f"{url}/sdapi/v1/progress")).json()
    assert told["state"] == {"interrupted": True}


async def test_a_graph_is_filled_in(faked: Faked, tmp_path: Path) -> None:
    """Values keep their types; what it has no place for is told, not ignored."""
    graph = {"1": {"class_type": "X", "inputs": {"text": "$prompt", "batch_size": "$n", "a": 1}}}
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(graph))
    comfy = engine(faked, "comfyui", graph=str(file))
    plain = ImageRequest(model="fake", prompt="red", n=3)
    assert len((await comfy.generate_image(plain, progress=ignored)).images) == 3
    with pytest.raises(ValidationFailed, match=r"has no place for guidance, height, .*`\$name`"):
        await comfy.generate_image(RED, progress=ignored)
    file.write_text("{")
    with pytest.raises(ValidationFailed, match=r"'engines.there.graph'.* is no graph"):
        await comfy.generate_image(plain, progress=ignored)


async def test_a_graph_that_fails_is_told(faked: Faked) -> None:
    """Its run ends well as far as HTTP goes."""
    faked.running["comfyui"].faults.memory_short = True
    with pytest.raises(ExecutionFailed, match="out of memory"):
        await engine(faked, "comfyui").generate_image(RED, progress=ignored)


@pytest.mark.parametrize("runs", [False, True])
async def test_a_graph_that_is_given_up_leaves_the_queue(faked: Faked, *, runs: bool) -> None:
    """Whether it waits there or runs already."""
    faked.running["comfyui"].faults.load_delay = runs
    told = asyncio.Event()
    comfy = engine(faked, "comfyui")
    drawing = asyncio.create_task(comfy.generate_image(RED, progress=lambda _: told.set()))
    await told.wait()
    while runs and not await queue(faked, "queue_running"):
        pass
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert await queue(faked, "queue_running") == await queue(faked, "queue_pending") == []


async def test_comfyui_tells_its_checkpoints(faked: Faked) -> None:
    """And its version; all of them leave memory at once."""
    comfy = engine(faked, "comfyui")
    cards = await comfy.models()
    assert [(card.name, card.type) for card in cards] == [("fake.safetensors", "diffusion")]
    assert await comfy.version() == "0.3.70"
    await comfy.unload("fake.safetensors")


async def test_stable_diffusion_cpp_is_asked_in_its_own_words(
    faked: Faked, server: EngineServer
) -> None:
    """Its jobs take the settings of the sampler as a group; a full line is no failure."""
    sdcpp = engine(faked, "sdcpp")
    object.__setattr__(sdcpp, "url", f"{server.url}/v1")
    server.answer("sdcpp/v1/img_gen", {"error": "job queue is full"}, status=429)
    with pytest.raises(RateLimited, match="job queue is full"):
        await sdcpp.generate_image(RED, progress=ignored)
    assert server.body == {
        "prompt": "red",
        "width": 64,
        "height": 32,
        "batch_count": 2,
        "seed": 7,
        "output_format": "png",
        "sample_params": {"sample_steps": 3, "guidance": {"txt_cfg": 5}},
    }
    server.answer("sdcpp/v1/vid_gen", {"error": "it makes no films"}, status=400)
    picture = await faked.artifacts.put(b"png", media_type="image/png")
    request = SUN.model_copy(update={"image": picture, "steps": 3})
    with pytest.raises(ValidationFailed, match="it makes no films"):
        await sdcpp.generate_video(request, progress=ignored, memory=FakeMemory())
    assert server.body == {
        "prompt": "the sun",
        "seed": 7,
        "video_frames": 32,
        "fps": 16,
        "init_image": "cG5n",
        "sample_params": {"sample_steps": 3},
    }


async def test_a_job_of_stable_diffusion_cpp_that_is_given_up_leaves_the_line(faked: Faked) -> None:
    """So that the next one need not wait for it."""
    faked.running["sdcpp"].faults.load_delay = 1
    sdcpp, told, heard = engine(faked, "sdcpp"), asyncio.Event(), list[str]()

    def progress(message: str) -> None:
        heard.append(message)
        told.set()

    drawing = asyncio.create_task(sdcpp.generate_image(RED, progress=progress))
    await told.wait()
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    jobs = f"{faked.running['sdcpp'].url}/sdcpp/v1/jobs"
    states, number = list[str](), 0
    while (answer := await faked.http.get(f"{jobs}/job_{number}")).is_success:
        states.append(answer.json()["status"])
        number += 1
    assert (states[-1], heard) == ("cancelled", ["in the line"])


async def test_a_job_of_stable_diffusion_cpp_that_fails_is_told(faked: Faked) -> None:
    """In the server's words."""
    faked.running["sdcpp"].faults.memory_short = True
    sdcpp = engine(faked, "sdcpp")
    with pytest.raises(ExecutionFailed, match="made no picture: out of memory"):
        await sdcpp.generate_image(RED, progress=ignored)
    with pytest.raises(ExecutionFailed, match="made no film: out of memory"):
        await sdcpp.generate_video(SUN, progress=ignored, memory=FakeMemory())


async def test_stable_diffusion_cpp_films(faked: Faked) -> None:
    """Its one model is listed for each thing that it makes."""
    sdcpp, memory = engine(faked, "sdcpp"), FakeMemory("there job_999")
    types = [(card.name, card.type) for card in await sdcpp.models()]
    assert types == [("fake", "diffusion"), ("fake", "video_gen")]
    reply = await sdcpp.generate_video(SUN, progress=ignored, memory=memory)
    assert (reply.format, reply.duration) == ("webm", 2)
    assert await faked.artifacts.get(reply.video) == FILM
    assert memory.text.startswith("there job_")


# --- films ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "told"), [("video", {}), ("sglang", {"type": "video_gen"})])
async def test_each_films(faked: Faked, kind: EngineKind, told: dict[str, object]) -> None:
    """Whether it is asked by a form or by JSON; the job is thrown away afterwards."""
    heard: list[str] = []
    memory = FakeMemory()
    films = engine(faked, kind, **told)
    reply = await films.generate_video(SUN, progress=heard.append, memory=memory)
    assert (reply.format, reply.duration) == ("mp4", 2)
    assert await faked.artifacts.get(reply.video) == FILM
    assert heard == ["0 % of the film", "0 % of the film", "50 % of the film"]
    assert memory.text.startswith("there video-")
    assert await videos(faked, kind) == []


async def test_a_job_outlives_the_worker_that_asked_for_it(faked: Faked) -> None:
    """The next attempt waits for it, and begins no other: a film may take an hour."""
    faults, memory = faked.running["video"].faults, FakeMemory()
    faults.load_delay = 1
    films = engine(faked, "video")
    waits = asyncio.Event()
    filming = films.generate_video(SUN, progress=lambda _: waits.set(), memory=memory)
    first = asyncio.create_task(filming)
    await waits.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    begun = await videos(faked, "video")
    assert [f"there {job['id']}" for job in begun] == [memory.text]
    faults.load_delay = 0
    asked = faults.asked
    again = engine(faked, "video")
    reply = await again.generate_video(SUN, progress=ignored, memory=memory)
    assert await faked.artifacts.get(reply.video) == FILM
    assert faults.asked == asked


@pytest.mark.parametrize("knob", ["load_delay", "latency"])
async def test_a_film_that_is_given_up_is_deleted(faked: Faked, knob: str) -> None:
    """While it is made, and while the engine has not even told its job's id."""
    faults, memory = faked.running["video"].faults, FakeMemory(given_up=True)
    setattr(faults, knob, 0.2)
    asked = faults.asked
    filming = engine(faked, "video").generate_video(SUN, progress=ignored, memory=memory)
    task = asyncio.create_task(filming)
    while faults.asked == asked or (knob == "load_delay" and not memory.text):
        await videos(faked, "video")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await videos(faked, "video") == []
    assert memory.text == ""


async def test_a_film_is_given_up_also_where_the_engine_is_gone(faked: Faked) -> None:
    """What cannot be stopped must not hold up the run's end."""
    faked.running["video"].faults.load_delay = 1
    films, memory = engine(faked, "video"), FakeMemory(given_up=True)
    waits = asyncio.Event()
    filming = films.generate_video(SUN, progress=lambda _: waits.set(), memory=memory)
    task = asyncio.create_task(filming)
    await waits.wait()
    object.__setattr__(films, "url", "http://127.0.0.1:9/v1")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("left", ["there video-999", "elsewhere video-0", "nonsense"])
async def test_a_job_that_is_gone_or_anothers_is_begun_anew(faked: Faked, left: str) -> None:
    """An engine that was restarted knows nothing of it."""
    memory = FakeMemory(left)
    reply = await engine(faked, "video").generate_video(SUN, progress=ignored, memory=memory)
    assert reply.format == "mp4"
    assert memory.text != left


async def test_a_job_that_fails_is_told_and_not_waited_for_again(faked: Faked) -> None:
    """The next attempt begins another."""
    faked.running["video"].faults.memory_short = True
    memory = FakeMemory()
    with pytest.raises(ExecutionFailed, match="'there' made no film: out of memory"):
        await engine(faked, "video").generate_video(SUN, progress=ignored, memory=memory)
    assert memory.text == ""


async def test_a_first_frame_goes_with_the_form(faked: Faked, server: EngineServer) -> None:
    """JSON has no place for it, and says so."""
    picture = await faked.artifacts.put(b"png", media_type="image/png")
    request = SUN.model_copy(update={"image": picture})
    server.answer("videos", {"id": "v", "status": "failed", "error": "too red"})
    films = engine(faked, "video")
    object.__setattr__(films, "url", server.url)
    with pytest.raises(ExecutionFailed, match="too red"):
        await films.generate_video(request, progress=ignored, memory=FakeMemory())
    sent = server.bodies[-1]
    assert b'name="prompt"\r\n\r\nthe sun' in sent
    assert b'name="seconds"\r\n\r\n2\r\n' in sent
    assert b'name="input_reference"; filename="image"' in sent
    with pytest.raises(ValidationFailed, match="begins with no picture"):
        await engine(faked, "sglang", type="video_gen").generate_video(
            request, progress=ignored, memory=FakeMemory()
        )


async def test_an_engine_that_goes_while_a_film_is_made_keeps_the_job(faked: Faked) -> None:
    """What is remembered stays; the step's own retries ask again."""
    faked.running["video"].faults.load_delay = 1
    films, memory = engine(faked, "video"), FakeMemory()

    def gone(_: str) -> None:
        object.__setattr__(films, "url", "http://127.0.0.1:9/v1")

    with pytest.raises(EngineNotRunning):
        await films.generate_video(SUN, progress=gone, memory=memory)
    assert memory.text.startswith("there video-")


async def test_a_graph_lies_beside_the_settings(faked: Faked, tmp_path: Path) -> None:
    """Wherever the worker was started."""
    told = Engine(kind="comfyui", url=faked.url("comfyui"), graph=Path("graph.json"))
    settings = Settings(engines={"draws": told}, root=tmp_path, data=tmp_path)
    drawer = engines_of(settings, faked.http, faked.artifacts).pool.named("draws")
    assert isinstance(drawer, ComfyEngine)
    assert drawer.graph == tmp_path / "graph.json"
