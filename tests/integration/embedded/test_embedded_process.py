"""The engine as a process: when it starts, when it ends, and what it leaves behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from aima.embedded.activation import listen
from aima.embedded.turns import MOST_WAITING
from aima.errors import Conflict
from aima.settings import Embedded, Models, Settings
from tests.integration.embedded.running import LONG, RunningEngine, eventually, running_engine

HOLDER = """
import sys
from aima.embedded.serve import serve
from aima.settings import Settings
serve(Settings.model_validate_json(sys.stdin.read()), ready=lambda url: print(url, flush=True))
"""
PARENT = """
import sys, time
from aima.embedded.activation import listen, spawn
from aima.settings import Settings
listener = listen("127.0.0.1", 0)
print(spawn(Settings.model_validate_json(sys.stdin.read()), listener).pid, flush=True)
time.sleep(600)
"""


def with_idle(settings: Settings, seconds: float) -> Settings:
    """Give settings under which an engine leaves soon."""
    return settings.model_copy(update={"embedded": Embedded(idle_seconds=seconds)})


@contextmanager
def program(source: str, settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a Python program with settings on its input; give it and the first line it prints."""
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(settings.model_dump_json(include={"data", "embedded", "models"}))
            process.stdin.close()
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def test_the_engine_starts_light_and_loads_on_first_use(settings: Settings) -> None:
    """Who only asks what there is should not pay for models; health tells what is in memory."""
    with running_engine(settings) as engine:
        _starts_light(engine)


def _starts_light(engine: RunningEngine) -> None:
    health = engine.client.get("/health").json()
    assert health["status"] == "ok"
    assert health["loaded"] == []
    assert health["rss_bytes"] < 120_000_000
    engine.chat("hi", max_tokens=1)
    health = engine.client.get("/health").json()
    assert health["loaded"] == ["smollm2-135m-instruct"]
    listed = {model["id"]: model for model in engine.client.get("/v1/models").json()["data"]}
    assert listed["smollm2-135m-instruct"]["loaded"]
    assert not listed["kokoro-82m"]["loaded"]
    for name in ("all-minilm-l6-v2", "nanodet-g"):
        assert engine.client.post("/v1/models/load", json={"model": name}).json()["loaded"]
    missing = engine.client.post("/v1/models/load", json={"model": "nobody"})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "MODEL_NOT_FOUND")
    assert listed["procedural"]["kind"] == "procedural"
    assert all(model["present"] and model["licence"] for model in listed.values())


def test_importing_the_door_loads_no_engine() -> None:
    """`aima --help` must stay fast, and the holder of the socket small."""
    check = (
        "import sys, aima.embedded.serve, aima.embedded.activation\n"
        "heavy = {'onnxruntime', 'ctranslate2', 'xllamacpp', 'faster_whisper', 'av', 'numpy',"
        " 'uvicorn', 'starlette', 'httpx2'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_a_missing_model_is_fetched_on_first_use(models: Path, tmp_path: Path) -> None:
    """A fresh machine answers its first question; here a mirror folder is the source."""
    settings = Settings(data=tmp_path, models=Models(mirror=models))
    with running_engine(settings) as engine:
        name = "smollm2-135m-instruct"
        listed = {model["id"]: model for model in engine.client.get("/v1/models").json()["data"]}
        assert not listed[name]["present"]
        assert engine.chat("hi", max_tokens=1).status_code == 200
        listed = {model["id"]: model for model in engine.client.get("/v1/models").json()["data"]}
        assert listed[name]["present"]
        assert not listed["kokoro-82m"]["present"], "only what was asked for is fetched"


def test_an_engine_nobody_uses_leaves(settings: Settings) -> None:
    """Only the end of the process gives all memory back. A monitor's glances are no use."""
    with running_engine(with_idle(settings, 1.5)) as engine:
        engine.chat("hi", max_tokens=1)
        used = time.monotonic()
        while time.monotonic() - used < 1:
            engine.client.get("/health")
        assert engine.process.wait(3) == 0
        assert 1.5 <= time.monotonic() - used < 2.5 + 1


def test_an_engine_at_work_does_not_leave(settings: Settings) -> None:
    """Idle means without a request, not without a new one."""
    with running_engine(with_idle(settings, 0.5)) as engine:
        answer = engine.client.post("/v1/chat/completions", json={**LONG, "max_tokens": 200})
        assert answer.json()["usage"]["completion_tokens"] == 200
        assert engine.process.wait(10) == 0


def test_a_client_after_the_idle_exit_is_answered(settings: Settings) -> None:
    """The socket outlives the engine: an address given out once stays good."""
    with (
        program(HOLDER, with_idle(settings, 0.7)) as (holder, url),
        httpx2.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        engines = set()
        for _ in range(3):
            assert client.get("/health").status_code == 200
            (engine,) = psutil.Process(holder.pid).children()
            engines.add(engine.pid)
            gone, _ = psutil.wait_procs([engine], timeout=10)
            assert gone, "the engine does not leave"
        assert len(engines) == 3
        holder.terminate()
        assert holder.wait(5) == 0


def test_a_killed_engine_is_started_again(settings: Settings) -> None:
    """A crash of native code costs the requests it was at, not the service."""
    with (
        program(HOLDER, settings) as (holder, url),
        httpx2.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        client.get("/health")
        (engine,) = psutil.Process(holder.pid).children()
        engine.kill()
        engine.wait(5)
        eventually(lambda: _is_up(client))
        holder.terminate()
        holder.wait(5)
        eventually(lambda: not psutil.pid_exists(engine.pid))


def test_the_holder_takes_its_engine_along(settings: Settings) -> None:
    """No process may be left behind."""
    with (
        program(HOLDER, settings) as (holder, url),
        httpx2.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        client.get("/health")
        (engine,) = psutil.Process(holder.pid).children()
        holder.send_signal(signal.SIGINT)
        assert holder.wait(5) == 0
        assert not engine.is_running()


def test_sigterm_ends_an_engine_at_work_within_two_seconds(settings: Settings) -> None:
    """A stop must not wait for an answer of minutes."""
    with running_engine(settings) as engine, ThreadPoolExecutor(1) as pool:
        engine.chat("hi", max_tokens=1)
        asked = pool.submit(_quietly, engine, LONG)
        process = psutil.Process(engine.process.pid)
        eventually(lambda: process.cpu_percent(interval=0.2) > 50)
        begun = time.monotonic()
        engine.process.terminate()
        assert engine.process.wait(5) == 0
        assert time.monotonic() - begun < 2
        asked.result()


def test_an_engine_dies_with_its_parent(settings: Settings) -> None:
    """After `kill -9` of whoever held the socket nothing may go on in the dark."""
    with program(PARENT, settings) as (parent, engine):
        process = psutil.Process(int(engine))
        eventually(lambda: process.status() != psutil.STATUS_ZOMBIE)
        parent.kill()
        parent.wait()
        eventually(lambda: not process.is_running(), within=5)


def test_too_many_at_once_are_turned_away_and_who_leaves_makes_room(settings: Settings) -> None:
    """A bounded queue: the excess is told when to come back, and the dead hold no place."""
    with running_engine(settings) as engine:
        engine.chat("hi", max_tokens=1)
        with ExitStack() as waiting:
            for _ in range(2 + MOST_WAITING):  # one at work, the queue, and one too many
                connection = waiting.enter_context(engine.ask(**LONG))
            assert b" 429 " in connection.recv(100)
            refused = engine.chat("hi", max_tokens=1)
            assert refused.json()["error"]["code"] == "RATE_LIMITED"
            assert 1 <= int(refused.headers["retry-after"]) <= 60
        eventually(lambda: _status(engine) == 200, within=5)


def test_models_work_side_by_side(engine: RunningEngine) -> None:
    """A long answer of one model does not hold up another's."""
    engine.speak("Hello.")
    with engine.ask(**LONG) as answer:
        assert engine.speak("Hello.").status_code == 200
        answer.setblocking(False)
        with pytest.raises(BlockingIOError):
            answer.recv(1)


def test_web_pages_are_refused(engine: RunningEngine) -> None:
    """Any site's page can send requests to loopback; browsers then tell its origin or its name."""
    for header in {"host": "rebound.example"}, {"origin": "https://site.example"}:
        refused = engine.client.get("/v1/models", headers=header)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    own = engine.client.get("/v1/models", headers={"origin": "http://localhost:8733"})
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/moderations", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/v1/chat/completions", 405, "INVALID_REQUEST"),
        ("POST", "/v1/chat/completions", 400, "VALIDATION_ERROR"),
    ],
)
def test_wrong_addresses_are_told_in_the_same_form(
    engine: RunningEngine, method: str, path: str, status: int, code: str
) -> None:
    """A client needs one way to read errors."""
    response = engine.client.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_huge_body_is_refused_before_it_comes_in(engine: RunningEngine) -> None:
    """The stated size alone is enough to refuse; nothing is stored."""
    with engine.connect() as connection:
        connection.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n"
        )
        assert b"413" in connection.recv(1000).split(b"\r\n")[0]


def test_a_taken_port_is_told() -> None:
    """The way out is in the message."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port}"):
            listen("127.0.0.1", port)


def _is_up(client: httpx2.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx2.TransportError:
        return False


def _status(engine: RunningEngine) -> int:
    """Ask with little patience; 0 means no answer in time."""
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    try:
        return engine.client.post("/v1/chat/completions", json=body, timeout=1).status_code
    except httpx2.TimeoutException:
        return 0


def _quietly(engine: RunningEngine, body: dict[str, object]) -> None:
    """Ask and expect no answer."""
    try:
        engine.client.post("/v1/chat/completions", json=body)
    except httpx2.TransportError:
        return
