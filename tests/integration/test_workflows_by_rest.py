"""Workflows over HTTP: stored, listed, drawn, checked, and run with files."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from aima.gateway.access.permission import Role
from tests.integration.door import Door, door_on, key
from tests.integration.lab import lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKFLOWS = "/api/v2/workflows"
ECHO = """\
name: {name}
description: Says it again.
version: "{version}"
inputs:
  type: object
  properties: {{word: {{type: string, default: hello}}, times: {{type: integer}}}}
config: {{mark: "!"}}
steps:
  - {{id: say, type: lab.echo, input: {{text: "${{input.word}}${{config.mark}}"}}}}
output: {{text: "${{steps.say.text}}"}}
"""
FILES = """\
name: files
inputs:
  type: object
  required: [audio]
  properties:
    audio: {type: string, format: artifact}
    more: {type: array, items: {type: string, format: artifact}}
    note: {type: string}
    count: {type: integer}
steps:
  - {id: keep, set: {audio: "${input.audio}"}}
output: {input: "${input}"}
"""
MOST_BYTES = 1 << 20
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(30)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def door(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one door for the module, with a project whose file `mine` has a mistake."""
    folder: Path = tmp_path_factory.mktemp("door")
    (folder / "wrong.yaml").write_text("name: wrong\nsteps:\n  - {id: a, type: no.such}\n")
    (folder / "mine.yaml").write_text(ECHO.format(name="mine", version=1))
    with lab_on(local, folder) as lab:
        small = {"artifacts": lab.settings.artifacts.model_copy(update={"max_bytes": MOST_BYTES})}
        lab.settings = lab.settings.model_copy(update=small)
        async with door_on(lab) as opened:
            yield opened


async def put(door: Door, name: str, text: str = "", **headers: str) -> Any:  # noqa: ANN401 - a response
    """Store a workflow."""
    return await door.http.put(
        f"{WORKFLOWS}/{name}", content=text or ECHO.format(name=name, version=1), headers=headers
    )


async def paged(door: Door, path: str, **asked: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a query
    """List all, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await door.http.get(path, params={**asked, "cursor": cursor})).json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def test_a_workflow_is_stored_read_and_removed(door: Door) -> None:
    """What comes back is what was sent, to the letter."""
    text = ECHO.format(name="kept", version=1)
    made = await put(door, "kept", text)
    assert (made.status_code, made.json()["state"]) == (201, "new")
    assert made.headers["location"] == f"{WORKFLOWS}/kept"
    told = (await door.http.get(made.headers["location"])).json()
    assert (told["origin"], told["description"], told["text"]) == ("stored", "Says it again.", text)
    assert told["inputs"]["properties"]["word"]["default"] == "hello"
    assert [row["step"] for row in told["rows"]] == ["say"]
    yaml = await door.http.get(f"{WORKFLOWS}/kept", headers={"accept": "application/yaml"})
    assert yaml.text == text
    assert (await door.http.delete(f"{WORKFLOWS}/kept")).status_code == 204
    assert (await door.http.get(f"{WORKFLOWS}/kept")).status_code == 404


async def test_only_what_one_has_seen_is_replaced(door: Door) -> None:
    """Two people edit the same workflow: the second learns of the first."""
    first = (await put(door, "shared")).headers["etag"]
    newer = ECHO.format(name="shared", version=2)
    assert (await put(door, "shared", newer, **{"if-match": first})).status_code == 200
    late = await put(door, "shared", **{"if-match": first})
    assert (late.status_code, late.json()["code"]) == (412, "CONFLICT")
    assert (await put(door, "shared", **{"if-none-match": "*"})).status_code == 412
    gone = await door.http.delete(f"{WORKFLOWS}/shared", headers={"if-match": first})
    assert gone.status_code == 412
    seen = (await door.http.get(f"{WORKFLOWS}/shared")).headers["etag"]
    again = await door.http.get(f"{WORKFLOWS}/shared", headers={"if-none-match": seen})
    assert (again.status_code, again.content) == (304, b"")


async def test_mistakes_are_told_with_their_place_and_nothing_is_stored(door: Door) -> None:
    """A program shows them beside the line; `check` says the same and keeps nothing either way."""
    text = "name: bad\nsteps:\n  - {id: a, type: lab.ecko}\n"
    refused = await put(door, "bad", text)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")
    [found] = refused.json()["diagnostics"]
    assert (found["file"], found["line"], found["column"]) == ("bad.yaml", 3, 19)
    checked = (await door.http.post(f"{WORKFLOWS}/check", content=text)).json()
    assert (checked["ok"], len(checked["diagnostics"])) == (False, 1)
    good = ECHO.format(name="bad", version=1)
    assert (await door.http.post(f"{WORKFLOWS}/check", json={"text": good})).json()["ok"]
    assert (await door.http.get(f"{WORKFLOWS}/bad")).status_code == 404
    other = await put(door, "other", good)
    assert "the text names its workflow 'bad', not 'other'" in other.json()["detail"]


async def test_the_list_has_all_that_has_a_name(door: Door) -> None:
    """Shipped, of the project, stored; by cursor or by offset; a broken one says what is wrong."""
    await put(door, "listed")
    items = (await door.http.get(WORKFLOWS)).json()["items"]
    origins = {one["name"]: one["origin"] for one in items}
    assert (origins["rag"], origins["mine"], origins["listed"]) == ("shipped", "project", "stored")
    [wrong] = [one for one in items if one["name"] == "wrong"]
    assert (wrong["plan"], wrong["diagnostics"][0]["line"]) == (None, 3)
    names = [one["name"] for one in await paged(door, WORKFLOWS, limit=4)]
    assert names == sorted(origins)
    by_offset = (await door.http.get(WORKFLOWS, params={"limit": 1, "offset": 2})).json()
    assert ([one["name"] for one in by_offset["items"]], by_offset["total"]) == (
        names[2:3],
        len(names),
    )
    assert (await door.http.get(WORKFLOWS, params={"cursor": "?"})).status_code == 400


async def test_a_stored_workflow_hides_the_file_of_its_name(door: Door) -> None:
    """Removed, the file is back; the file itself cannot be removed from afar."""
    await put(door, "mine", ECHO.format(name="mine", version=2))
    assert (await door.http.get(f"{WORKFLOWS}/mine")).json()["version"] == "2"
    assert (await door.http.delete(f"{WORKFLOWS}/mine")).status_code == 204
    assert (await door.http.get(f"{WORKFLOWS}/mine")).json()["version"] == "1"
    refused = await door.http.delete(f"{WORKFLOWS}/mine")
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("asked", "media_type", "begins"),
    [
        ({}, "image/svg+xml", "<svg"),
        ({"params": {"format": "mermaid"}}, "text/vnd.mermaid", "flowchart LR"),
        ({"headers": {"accept": "text/vnd.graphviz"}}, "text/vnd.graphviz", "digraph"),
    ],
)
async def test_a_workflow_is_drawn(
    door: Door, asked: dict[str, Any], media_type: str, begins: str
) -> None:
    """As a picture for people, or as a text that draws."""
    drawn = await door.http.get(f"{WORKFLOWS}/rag/graph", **asked)
    assert drawn.headers["content-type"].partition(";")[0] == media_type
    assert begins in drawn.text[:200]


# --- runs ------------------------------------------------------------------------------------


async def test_a_workflow_is_run_by_its_name(door: Door) -> None:
    """An operator may, who may not store one; the answer comes with the run's end."""
    await put(door, "spoken")
    waiting = {"prefer": "wait=30", **key(Role.OPERATOR)}
    body = {"input": {"word": "good"}, "config": {"mark": "?"}}
    done = await door.http.post(f"{WORKFLOWS}/spoken/runs", json=body, headers=waiting)
    told = done.json()
    assert (done.status_code, told["state"], told["output"]) == (
        200,
        "completed",
        {"text": "good?"},
    )
    assert done.headers["location"] == told["links"]["self"]
    found = (await door.http.get(told["links"]["self"])).json()
    assert [(step["step"], step["state"]) for step in found["steps"]] == [("say", "done")]
    refused = await door.http.put(f"{WORKFLOWS}/x", content="", headers=key(Role.OPERATOR))
    assert refused.status_code == 403
    viewer = await door.http.post(f"{WORKFLOWS}/spoken/runs", headers=key(Role.VIEWER))
    assert viewer.status_code == 403


async def test_the_same_key_never_runs_it_twice(door: Door) -> None:
    """Also when it has changed in between; another request under that key is refused."""
    await put(door, "once")
    headers = {"idempotency-key": "order-7"}
    first = await door.http.post(f"{WORKFLOWS}/once/runs", headers=headers)
    assert first.status_code in (200, 202)
    await put(door, "once", ECHO.format(name="once", version=3))
    again = await door.http.post(f"{WORKFLOWS}/once/runs", headers=headers)
    assert again.json()["id"] == first.json()["id"]
    other = {"input": {"word": "else"}}
    refused = await door.http.post(f"{WORKFLOWS}/once/runs", json=other, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_REQUEST")


async def test_twenty_at_once_under_one_key_are_one_run(door: Door) -> None:
    """A client that is impatient, or many that share a message."""
    await put(door, "rushed")
    headers = {"idempotency-key": "rush"}
    asking = (door.http.post(f"{WORKFLOWS}/rushed/runs", headers=headers) for _ in range(20))
    answers = await asyncio.gather(*asking)
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("nope", {}, 404, "there is no workflow 'nope'"),
        ("wrong", {}, 400, "the workflow 'wrong' has errors"),
        ("mine", {"input": {"words": "x"}}, 400, "did you mean 'word'?"),
        ("mine", {"config": {"marc": "x"}}, 400, "did you mean 'mark'?"),
        ("mine", {"id": "/"}, 400, "is no id of a run"),
        ("mine", {"text": "name: x"}, 400, "Extra inputs are not permitted"),
    ],
)
async def test_what_cannot_run_says_why(
    door: Door, path: str, body: dict[str, Any], status: int, detail: str
) -> None:
    """Nothing is started; and nobody's request brings a workflow of its own along."""
    refused = await door.http.post(f"{WORKFLOWS}/{path}/runs", json=body)
    assert refused.status_code == status
    assert detail in refused.json()["detail"]


async def run_files(door: Door, **sent: Any) -> Any:  # noqa: ANN401 - a response
    """Run the workflow that takes files."""
    await put(door, "files", FILES)
    return await door.http.post(f"{WORKFLOWS}/files/runs", headers={"prefer": "wait=30"}, **sent)


async def test_a_form_brings_files_along(door: Door) -> None:
    """Each is an artifact; text stays text, and a number becomes one."""
    files = [
        ("audio", ("question.wav", WAV, "text/html")),
        ("more", ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(9))),
        ("more", ("b.txt", b"plain")),
    ]
    done = await run_files(door, files=files, data={"note": "7", "count": "7"})
    given = done.json()["output"]["input"]
    assert (given["note"], given["count"]) == ("7", 7)
    assert (given["audio"]["media_type"], given["audio"]["bytes"]) == ("audio/wav", len(WAV))
    assert [one["media_type"] for one in given["more"]] == ["image/png", "text/plain"]


async def test_json_brings_files_along_as_data_uris(door: Door) -> None:
    """For a page that has recorded something, and for whoever has no forms."""
    uri = f"data:audio/wav;base64,{base64.b64encode(WAV).decode()}"
    done = await run_files(door, json={"input": {"audio": uri, "more": ["data:,plain%20text"]}})
    given = done.json()["output"]["input"]
    assert (given["audio"]["media_type"], given["audio"]["bytes"]) == ("audio/wav", len(WAV))
    assert given["more"][0]["bytes"] == len(b"plain text")
    again = await run_files(door, json={"input": given})
    assert again.json()["output"]["input"] == given, "a reference is taken as it is"


@pytest.mark.parametrize("uri", ["plain", "data:audio/wav;base64,***", "data:no type,x", "data:"])
async def test_what_is_no_file_is_told_by_its_place(door: Door, uri: str) -> None:
    """A form can show it beside the field."""
    refused = await run_files(door, json={"input": {"audio": uri}})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/input/audio"


BOUNDARY = {"content-type": "multipart/form-data; boundary=x"}
_HEAD = b'--x\r\ncontent-disposition: form-data; name="audio"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (_HEAD + b"abc", BOUNDARY, 400),
        (b"no form at all", BOUNDARY, 400),
        (b"", BOUNDARY, 400),
        (_HEAD + b"\r\n--x--\r\n", BOUNDARY, 400),
        (b"--x\r\n\r\nabc\r\n--x--\r\n", BOUNDARY, 400),
        (_HEAD + b"a\r\n" + _HEAD + b"b\r\n--x--\r\n", BOUNDARY, 400),
        (b"--x\r\na: " + b"b" * 20_000, BOUNDARY, 400),
        (_HEAD * 200, BOUNDARY, 400),
        (b"x", {"content-type": "multipart/form-data"}, 400),
        (b"x", {"content-type": f"multipart/form-data; boundary={'y' * 900}"}, 400),
        (b" " * (11 << 20), {"content-type": "application/json"}, 413),
    ],
)
async def test_a_form_that_is_none_is_refused(
    door: Door, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Broken off, empty, without names, without a boundary, or too large: never a traceback."""
    await put(door, "files", FILES)
    refused = await door.http.post(f"{WORKFLOWS}/files/runs", content=content, headers=headers)
    assert refused.status_code == status, refused.text
    left = door.lab.settings.data / "artifacts" / "tmp"
    assert not list(left.iterdir()), "nothing of a file that did not come in whole is kept"


async def test_a_file_that_is_too_large_is_cut_off(door: Door) -> None:
    """The setting is the bound."""
    refused = await run_files(door, files={"audio": ("a.wav", bytes(MOST_BYTES + 1))})
    assert (refused.status_code, refused.json()["code"]) == (413, "TOO_LARGE")


# --- the list of runs ------------------------------------------------------------------------


async def test_runs_are_listed_by_state_and_page_by_page(door: Door) -> None:
    """All of them once, however they are asked for."""
    name = "counted"
    await put(door, name)
    ids = set()
    for _ in range(3):
        done = await door.http.post(f"{WORKFLOWS}/{name}/runs", headers={"prefer": "wait=30"})
        ids.add(done.json()["id"])

    asked: dict[str, Any] = {"workflow": name, "limit": 2}
    found: list[str] = []
    for _ in range(100):  # what is listed lags behind a little
        found = [run["id"] for run in await paged(door, "/api/v2/runs", state="completed", **asked)]
        if len(found) == 3:
            break
    assert (len(found), set(found)) == (3, ids)
    assert await paged(door, "/api/v2/runs", state="failed", **asked) == []
    by_offset = (await door.http.get("/api/v2/runs", params={**asked, "offset": 1})).json()
    assert (len(by_offset["items"]), by_offset["total"]) == (2, 3)
    assert (await door.http.get("/api/v2/runs", params={"state": "done"})).status_code == 400
    assert (await door.http.get("/api/v2/runs", params={"cursor": "eHh4"})).status_code == 400
