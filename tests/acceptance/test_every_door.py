"""Every unit answers alike in Python, on the command line, at REST, over MCP and in a workflow."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, get_args

import httpx2
import pytest
import pytest_asyncio
from pydantic import ValidationError

from aima.catalog import discover
from aima.errors import Forbidden, TooLarge, ValidationFailed
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.units.routes import way_of
from aima.ports.inference import ModelType
from aima.shipped import shipped
from aima.testing.engines import Faults, fake
from aima.unit import Kind, Unit
from tests.acceptance.agent import agent_of
from tests.acceptance.command import REPOSITORY
from tests.acceptance.doors import CommandLine, Door, Given, Said, doors_of, text_of
from tests.acceptance.running import data_folder

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNITS = list(discover())
PAGE = REPOSITORY / "docs" / "how-to" / "use-python.md"
REFUSED, INVALID = 400, ValidationFailed.code
every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)

KINDS = {"detection": "hf_inference", "rerank": "rerank"}
"""Fakes of models that OpenAI's dialect has no address for."""
SERVED = [type_ for type_ in get_args(ModelType) if type_ != "video_gen"]
"""Without films: what nobody serves must be refused alike, too."""

PREPARED = ("engine.get", "retrieval.index")
"""Units whose example makes what others find: an engine that is awake, and passages."""

Row = tuple[str, str, int]
"""Of the audit log: who, what, and with which status."""

CHANGES = frozenset({"started", "seconds", "latency", "updated"})
"""Fields that differ from one asking to the next, wherever they are."""


@dataclass(frozen=True)
class House:
    """An AIMA with all its doors.

    Attributes:
        http: asks the API as the admin.
        viewer: asks it as a viewer.
        files: the artifacts that examples name, by their texts.
    """

    doors: Mapping[str, Door]
    http: httpx2.AsyncClient
    viewer: Mapping[str, str]
    files: Mapping[str, Any]

    def filled(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Put references where an example names files."""
        if isinstance(value, Mapping):
            return {key: self.filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        return self.files.get(value, value) if isinstance(value, str) else value

    async def written(self, after: int = 0) -> list[dict[str, Any]]:
        """Read the audit log's rows after one, the newest first."""
        rows = (await self.http.get("/api/v2/audit?limit=20")).json()["commands"]
        return [row for row in rows if row["seq"] > after]

    async def ask(self, unit: Unit, given: Given) -> dict[str, tuple[Said, list[Row]]]:
        """Ask a unit at each door; give what it said, and what was written down of it."""
        heard: dict[str, tuple[Said, list[Row]]] = {}
        for name, door in self.doors.items():
            last = (await self.written())[0]["seq"]
            said = masked(await door.ask(unit, given))
            rows = await self.written(last)
            heard[name] = said, [(row["caller"], row["subject"], row["status"]) for row in rows]
        return heard


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Bring up one AIMA, whose models are fakes that answer alike every time."""
    folder = tmp_path_factory.mktemp("doors")
    project, assets = folder / "project", shipped("workflows").absolute() / "assets"
    project.mkdir()
    (project / "assets").symlink_to(assets)
    async with AsyncExitStack() as open_:
        settings = {"AIMA_ENGINES": "", "AIMA_MODELS_DEFAULT": ""}
        for type_ in SERVED:
            engine, default = await open_.enter_async_context(_serving(type_))
            settings["AIMA_ENGINES"] += engine
            settings["AIMA_MODELS_DEFAULT"] += default
        aima = open_.enter_context(data_folder(folder, project))
        aima.settings = {name: f"{{{said[:-2]}}}" for name, said in settings.items()}
        await asyncio.to_thread(aima.up)
        agent = agent_of(aima)
        doors = await doors_of(agent, project, open_)
        http = doors["rest"].http
        made = await http.post("/api/v2/keys", json={"name": "v", "role": "viewer"})
        files = {
            f"@assets/{file.name}": await _stored(http, file.read_bytes())
            for file in assets.iterdir()
            if file.is_file()
        }
        viewer = {"authorization": f"Bearer {made.json()['key']}"}
        opened = House(doors, http, viewer, files)
        for unit in UNITS:
            if unit.name in PREPARED:
                await doors["rest"].ask(unit, opened.filled(dict(unit.examples[0].input)))
        yield opened


async def _stored(http: httpx2.AsyncClient, content: bytes) -> dict[str, Any]:
    told = (await http.post("/api/v2/artifacts", content=content)).json()
    return {name: told[name] for name in ("artifact", "media_type", "bytes")}


@asynccontextmanager
async def _serving(type_: str) -> AsyncIterator[tuple[str, str]]:
    """Run an engine with one model; give its settings, and those that make it the default."""
    kind, name = KINDS.get(type_, "openai"), f"fake/{type_}"
    async with fake(kind, Faults(models=(name,))) as engine:
        path = "/v1" if kind == "openai" else ""
        what = f'type = "{type_}"'
        what = f'serves = {{"{name}" = "{type_}"}}' if kind == "hf_inference" else what
        said = f'url = "{engine.url}{path}", kind = "{kind}", {what}'
        yield f"{type_} = {{{said}}}, ", f'{type_} = "{name}", '


@every_unit
async def test_a_unit_answers_alike_at_every_door(house: House, unit: Unit) -> None:
    """What it gives or how it fails, and who is written down to have asked for what."""
    heard = await house.ask(unit, house.filled(dict(unit.examples[0].input)))
    told = [said for said, _ in heard.values()]
    assert told == [told[0]] * len(house.doors), heard
    for name, door in house.doors.items():
        commands = door.runs or unit.kind is Kind.COMMAND
        subject = "one" if name == "workflow" else unit.name
        rows = [(caller, what, status < REFUSED) for caller, what, status in heard[name][1]]
        assert rows == [(door.caller, subject, True)] * commands, name


@every_unit
async def test_what_does_not_fit_is_refused_alike_at_every_door(house: House, unit: Unit) -> None:
    """By the same check with the same words, before anything is begun; who tried is written."""
    fitting = house.filled(dict(unit.examples[0].input))
    given = {**fitting, **misfit(unit, fitting), "nowhere": 1}
    heard = await house.ask(unit, given)
    static, _ = heard.pop("workflow")  # is told by the check of its text, with lines
    told = [said for said, _ in heard.values()]
    assert told == [told[0]] * len(heard), heard
    assert (static.code, told[0].code, told[0].retryable) == (INVALID, INVALID, False)
    answer = (await house.http.post(way_of(unit), json=given)).json()
    assert "/nowhere" in [mistake["pointer"] for mistake in answer["errors"]]
    for name, (_, rows) in heard.items():
        commands = house.doors[name].runs or unit.kind is Kind.COMMAND
        expected = [(house.doors[name].caller, unit.name, ValidationFailed.status)]
        assert rows == expected * commands, name
    checked = await house.http.post("/api/v2/workflows/check", json={"text": text_of(unit, given)})
    assert "value/unknown-field" in [d["code"] for d in checked.json()["diagnostics"]]


@every_unit
async def test_a_viewer_asks_what_only_looks(house: House, unit: Unit) -> None:
    """By the address of the unit and by the one for all; a refusal costs nobody's time."""
    given = house.filled(dict(unit.examples[0].input))
    asked = {"unit": unit.name, "input": given}
    own = await house.http.post(way_of(unit), json=given, headers=house.viewer)
    every = await house.http.post("/api/v2/execute", json=asked, headers=house.viewer)
    assert {own.status_code, every.status_code} == {200 if unit.view else Forbidden.status}
    for field in unit.unless:
        more = await house.http.post(
            way_of(unit), json={**given, field: True}, headers=house.viewer
        )
        assert more.status_code == Forbidden.status


async def test_what_is_too_large_is_refused_at_every_door(house: House) -> None:
    """The bound is the same; each door names its own way for large values."""
    unit = next(unit for unit in UNITS if unit.name == "template.render")
    given = {"text": "x" * (MOST_BODY_BYTES + 1)}
    for name, door in house.doors.items():
        if name != "mcp":
            assert (await door.ask(unit, given)).code == TooLarge.code, name
    answer = await house.http.post("/mcp", json=given)  # the library keeps why to itself
    assert (answer.status_code, answer.json()["code"]) == (TooLarge.status, TooLarge.code)


@pytest.mark.parametrize("name", ["template.render", "engine.stop", "inference.embed"])
async def test_the_installed_command_says_what_it_says_in_this_process(
    house: House, name: str
) -> None:
    """The comparison above stands for what users have: a query, a failure and a command."""
    unit = next(unit for unit in UNITS if unit.name == name)
    door = house.doors["cli"]
    assert isinstance(door, CommandLine)
    given = house.filled(dict(unit.examples[0].input))
    said = await door.ask(unit, given)
    assert await asyncio.to_thread(door.installed, unit, given) == said


async def test_the_page_on_python_works_as_it_stands(house: House) -> None:
    """A page whose program fails teaches nobody."""
    door = house.doors["cli"]
    assert isinstance(door, CommandLine)
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    [printed] = re.findall(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        cwd=door.folder,
        env=dict(door.environ or {}),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stdout == printed, done.stderr


def misfit(unit: Unit, fitting: Given) -> dict[str, object]:
    """Find a field and a value that the unit's model refuses there; one without fields has none."""
    wrongs: tuple[object, ...] = ([{}], {"wrong": []}, 1.5)
    for field, wrong in product(unit.input.model_fields, wrongs):
        try:
            unit.input.model_validate({**fitting, field: wrong})
        except ValidationError:
            return {field: wrong}
    return {}


def masked(said: Said) -> Said:
    """Leave out what differs from one asking to the next."""

    def of(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, Mapping):
            return {key: of(inner) for key, inner in value.items() if key not in CHANGES}
        return [of(one) for one in value] if isinstance(value, list) else value

    return replace(said, output=of(said.output))
