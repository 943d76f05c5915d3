"""Engines installed as packages: from a folder of wheels, so no network is asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from aima.adapters.engines.kinds import Machine, engine_of
from aima.adapters.engines.running.startable import Installable
from aima.errors import Conflict, NotFound, ValidationFailed
from aima.ports.engine_running import Wish
from aima.ports.inference import ignored
from aima.settings import Engine
from aima.testing import MemoryArtifacts
from tests.unit.adapters.tiny_engine import LIBRARY, PROGRAM, free_port, wheel

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip look at nothing but the folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two versions of a package that llama.cpp's server comes out of."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        wheel(folder, "xllamacpp", version, {"xllamacpp.py": LIBRARY, "tiny.py": PROGRAM})
    return folder


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client."""
    async with httpx2.AsyncClient(timeout=5) as client:
        yield client


@pytest.fixture
def machine(tmp_path: Path, wheels: Path) -> Machine:
    """Give a machine on which nothing is installed."""
    return Machine(tmp_path, wheels=wheels)


def llama(machine: Machine, http: httpx2.AsyncClient, **run: Any) -> Installable:  # noqa: ANN401 - any setting
    """Give an engine that is a package."""
    said = {"way": "package", "model": "m.gguf", "arguments": ["--alias", "tiny"], **run}
    url = f"http://127.0.0.1:{free_port()}"
    told = Engine.model_validate({"kind": "llamacpp", "url": url, "run": said})
    engine = engine_of("llama", told, http, MemoryArtifacts(), machine)
    assert isinstance(engine, Installable)
    return engine


async def test_a_package_is_installed_once_in_an_environment_of_its_own(
    machine: Machine, http: httpx2.AsyncClient
) -> None:
    """And runs there: what it needs never meets what AIMA needs."""
    engine = llama(machine, http)
    assert await engine.installation() is None
    with pytest.raises(NotFound, match=r"'llama' is not installed; engine.install brings"):
        await engine.launch(Wish("step"))
    said: list[str] = []
    told = await engine.install("1.0", progress=said.append)
    assert (Path(told.path).parent.name, told.version) == ("environments", "1.0")
    assert any("Successfully installed xllamacpp-1.0" in line for line in said)
    said.clear()
    assert await engine.install("1.0", progress=said.append) == told
    assert said == []
    instance = await llama(machine, http).instance()
    assert instance is None
    instance = await engine.launch(Wish("step"))
    assert instance.by == "step"
    while True:
        lines = await engine.last_lines()
        if any("listening at" in line for line in lines):
            break
        await asyncio.sleep(0.02)
    assert await engine.stop(5)


async def test_half_of_an_installation_is_begun_again(
    machine: Machine, http: httpx2.AsyncClient
) -> None:
    """A worker may be killed while pip writes; what it left must not be taken for whole."""
    engine = llama(machine, http, version="2.0")
    environment = machine.data.resolve() / "engines" / "llama" / "environments" / "xllamacpp==2.0"
    site = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    module = site / "site-packages" / "xllamacpp.py"
    module.parent.mkdir(parents=True)
    module.write_text("half of a fi")
    assert await engine.installation() is None
    told = await engine.install("", progress=ignored)
    assert (told.path, told.version) == (str(environment), "2.0")
    assert module.read_text() == LIBRARY


async def test_what_cannot_be_installed_says_why(
    machine: Machine, http: httpx2.AsyncClient
) -> None:
    """A version that is not there, that is none, and that the settings do not want."""
    with pytest.raises(NotFound, match=r"pip finds no 'xllamacpp'.*3.0"):
        await llama(machine, http).install("3.0", progress=ignored)
    assert await llama(machine, http).installation() is None
    with pytest.raises(ValidationFailed, match="is no version"):
        await llama(machine, http).install("1.0 --index-url=x", progress=ignored)
    with pytest.raises(Conflict, match=r"'llama' is set to version '1.0', not '2.0'"):
        await llama(machine, http, version="1.0").install("2.0", progress=ignored)


@pytest.mark.parametrize(
    ("name", "told", "problem"),
    [
        ("../x", {}, "needs a name of letters"),
        ("x", {"url": "http://10.0.0.1:8000"}, "this machine only"),
        ("x", {"url": "http://127.0.0.1"}, "not a loopback address with a port"),
        ("x", {"url": "http://0.0.0.0:8000"}, "this machine only"),
        ("x", {"kind": "ollama", "way": "package"}, r"no package .* 'container' or 'program'"),
        ("x", {"kind": "a1111"}, "'program' with a command of your own"),
        ("x", {"command": ["sh"]}, "run.command is for way 'program'"),
        ("x", {"volumes": {"models": "/models"}}, "'models', which is no absolute path"),
        ("x", {"environment": {"A=B": "c"}}, "'A=B' is no name of a variable"),
    ],
)
async def test_settings_that_cannot_be_followed_are_told_before_anything_runs(
    tmp_path: Path, http: httpx2.AsyncClient, name: str, told: dict[str, Any], problem: str
) -> None:
    """Nothing listens beyond this machine, no name leaves its folder, and a way must be known."""
    kind, url = told.pop("kind", "llamacpp"), told.pop("url", "http://localhost:8000")
    said = {"kind": kind, "url": url, "run": {"way": "package", **told}}
    with pytest.raises(ValidationFailed, match=rf"setting 'engines.{name}': .*{problem}"):
        engine_of(name, Engine.model_validate(said), http, MemoryArtifacts(), Machine(tmp_path))
