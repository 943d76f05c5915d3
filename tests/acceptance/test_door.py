"""The door lets in who knows the token and calls this machine by its own name, nobody else."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Literal

import openai
import psutil
import pytest
from pydantic import BaseModel

from tests.acceptance.command import AIMA, REPOSITORY, Aima, Sink, wait_until
from tests.acceptance.running import running_aima

HOW_TO = REPOSITORY / "docs" / "how-to" / "use-the-api.md"


@dataclass(frozen=True)
class Door:
    """How to knock at a stack's door."""

    aima: Aima
    port: int
    token: str = field(repr=False)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, object], dict[str, str]]:
        """Send a request with the token unless ``headers`` says otherwise."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {"authorization": f"Bearer {self.token}", **(headers or {})}
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}, dict(answer.getheaders())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The door of a stack that is up."""
    with running_aima(tmp_path_factory.mktemp("door")) as aima:
        state = json.loads((aima.data / "stack.json").read_text())
        yield Door(aima, state["port"], state["token"])


@pytest.mark.parametrize("path", ["/health", "/api/v2/runs", "/nowhere"])
@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic d3Jvbmc=", "Bearer é"])
def test_strangers_learn_nothing(door: Door, path: str, given: str) -> None:
    """Any user of the machine can reach loopback; not even what addresses there are is told."""
    status, told, _ = door.ask("GET", path, headers={"authorization": given})
    assert status == 401
    assert told["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7700", "127.0.0.1.evil.example"])
def test_a_page_of_the_web_is_refused(door: Door, host: str) -> None:
    """With DNS rebinding a page reaches loopback under a name of its own."""
    status, told, _ = door.ask("GET", "/health", headers={"host": host})
    assert status == 403
    assert told["code"] == "FORBIDDEN"


@pytest.mark.parametrize("host", ["localhost", "localhost:7700", "127.0.0.1", "[::1]:80"])
def test_this_machine_may_be_called_by_any_name_of_its_own(door: Door, host: str) -> None:
    """A tunnel or a client may say localhost."""
    assert door.ask("GET", "/health", headers={"host": host})[0] == 200


def test_it_listens_on_loopback_only(door: Door) -> None:
    """Nothing of a stack is offered to the network."""
    listening = {
        connection.laddr.ip
        for pid in door.aima.pids().values()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(door: Door) -> None:
    """Memory is not for strangers to fill, nor for a slip of the pen."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as line:
        line.sendall(
            f"POST /api/v2/runs HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {door.token}\r\ncontent-length: 99999999999\r\n\r\n".encode()
        )
        assert line.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_too_large_is_cut_off(door: Door) -> None:
    """Who states no size is counted."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as line:
        line.sendall(
            f"POST /api/v2/runs HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {door.token}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        for _ in range(11):
            line.sendall(chunk)
        assert line.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("POST", "/api/v2/runs", b"{", "400 the request: Invalid JSON"),
        ("POST", "/api/v2/runs", b"[]", "400 the request: Input should be an object"),
        ("POST", "/api/v2/runs", b"", "400 the request: Invalid JSON"),
        ("POST", "/api/v2/runs", b"{}", "400 the request: 'text': Field required"),
        ("POST", "/api/v2/runs", b'{"text": "", "file": "x", "n": 1}', "400 the request: 'n': "),
        ("POST", "/api/v2/runs", b"\xff\xfe", "400 the request: Invalid JSON"),
        ("POST", "/api/v2/execute", b'{"unit": "no.such"}', "404 no unit is called 'no.such'"),
        ("GET", "/api/v2/nowhere", None, "404 the door has no such address"),
        ("GET", "/api/v2/runs/../../health", None, "404 there is no run '../../health'"),
        ("GET", "/api/v2/runs?limit=x", None, "400 the query: 'limit'"),
        ("GET", "/api/v2/runs?limit=0", None, "400 the query: 'limit'"),
        ("GET", "/api/v2/execute", None, "405 Method Not Allowed"),
        ("DELETE", "/health", None, "405 Method Not Allowed"),
    ],
)
def test_what_makes_no_sense_is_a_problem_with_a_code(
    door: Door, method: str, path: str, body: bytes | None, detail: str
) -> None:
    """Every refusal is problem details that a program can act on; none is a traceback."""
    status, told, headers = door.ask(method, path, body=body)
    assert f"{status} {told['detail']}".startswith(detail)
    assert headers["content-type"] == "application/problem+json"
    members = {"type", "title", "status", "detail", "instance", "code", "retryable", "request_id"}
    assert set(told) - {"errors", "success", "error", "meta"} == members
    assert told["status"] == status
    assert "allow" in headers or status != 405


def test_the_token_is_only_where_it_belongs(door: Door) -> None:
    """What a log, a list of processes or another user's eyes can see does not open the door."""
    state = door.aima.data / "stack.json"
    assert state.stat().st_mode & 0o777 == 0o600
    for process in psutil.process_iter(["cmdline"]):
        assert door.token not in " ".join(process.info["cmdline"] or [])
    assert door.token not in door.aima.call("ps", "--json").stdout
    assert door.token not in door.aima.call("settings").stdout
    for file in files_of(door.aima.data):
        if file != state:
            assert door.token.encode() not in file.read_bytes(), file


def test_what_is_kept_is_for_its_owner_alone(door: Door) -> None:
    """Recordings and answers are private, also in a folder that others may enter."""
    assert door.aima.ask("exec", "inference.models")["state"] == "completed"
    readable = [file for file in files_of(door.aima.data) if file.stat().st_mode & 0o077]
    assert not readable


def test_a_new_data_folder_is_for_its_owner_alone(aima: Aima, tmp_path: Path) -> None:
    """AIMA makes it; nobody has to think of its mode."""
    aima.data = tmp_path / "new" / "folder"
    assert aima.call("runs").returncode == 0
    assert aima.data.stat().st_mode & 0o777 == 0o700


def knock(door: Door, key: str, path: str = "/api/v2/runs") -> int:
    """Ask with a key of a program; give the status."""
    return door.ask("GET", path, headers={"authorization": f"Bearer {key}"})[0]


def test_the_first_start_leaves_a_key_for_programs(door: Door) -> None:
    """`aima up` tells where it is; nobody has to make one."""
    file = door.aima.data / "admin.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file) in door.aima.call("ps").stdout
    assert knock(door, file.read_text().strip()) == 200


def test_a_key_is_made_listed_and_ended(door: Door) -> None:
    """Only its making tells it; revoked, it opens nothing at once."""
    made = door.aima.call("key", "create", "ci", "--role", "viewer", "--lasts", "1h")
    key = made.stdout.strip()
    assert made.returncode == 0
    assert "viewer" in made.stderr
    assert (knock(door, key), knock(door, key, "/api/v2/keys")) == (200, 403)
    assert "ci" in door.aima.call("key", "list").stdout
    listed = door.aima.call("key", "list", "--json").stdout
    assert key.split("_", 2)[2] not in listed
    assert {row["name"]: row["role"] for row in json.loads(listed)["keys"]} == {
        "admin": "admin",
        "ci": "viewer",
    }
    assert door.aima.call("key", "revoke", "ci").returncode == 0
    assert knock(door, key) == 401
    assert door.aima.call("key", "revoke", "ci").returncode == 3


def logged(door: Door, method: str, path: str) -> dict[str, Any]:
    """Wait for the line of a request to a path: it is written after the answer is out."""
    log = door.aima.data / "logs" / "access.log"

    def found() -> dict[str, Any] | None:
        whole = (line for line in log.read_text().splitlines(keepends=True) if line[-1] == "\n")
        lines = map(json.loads, whole)
        return next((n for n in lines if (n["method"], n["path"]) == (method, path)), None)

    line: dict[str, Any] = wait_until(found, what=f"a line of {path} in the log")
    return line


@pytest.mark.parametrize("path", ["/api/v2/workflows/check", "/api/v2/runs", "/api/v2/workflows"])
def test_only_the_admin_has_files_of_the_machine_read(
    door: Door, tmp_path: Path, path: str
) -> None:
    """A workflow names others by where they lie; with a key for programs that would be a look."""
    (tmp_path / "private.yaml").write_text("name: private\nsteps: [{id: a, wait: 1s}]\n")
    name = path.rpartition("/")[2]
    made = door.aima.call("key", "create", name, "--role", "author")
    text = "name: look\nsteps: [{id: a, workflow: ./private.yaml}]\n"
    place = "place" if name == "runs" else "source"
    body = json.dumps({"text": text, "file": "w.yaml", place: str(tmp_path / "w.yaml")}).encode()
    sent = {"content-type": "application/json"}
    headers = {"authorization": f"Bearer {made.stdout.strip()}", **sent}
    _, told, _ = door.ask("POST", path, body=body, headers=headers)
    assert "only the admin's key may run files of this machine" in json.dumps(told)
    _, told, _ = door.ask("POST", path, body=body, headers=sent)
    assert "only the admin" not in json.dumps(told)


def test_each_request_has_a_line_in_the_log(door: Door) -> None:
    """With whose key it was, and nothing that opens the door."""
    key = (door.aima.data / "admin.key").read_text().strip()
    assert knock(door, key, "/api/v2/units?x=private") == 200
    line = logged(door, "GET", "/api/v2/units")
    text = (door.aima.data / "logs" / "access.log").read_text()
    assert key not in text
    assert "private" not in text
    assert (line["caller"], line["status"]) == ("admin", 200)


def test_commands_are_in_the_audit_log(door: Door) -> None:
    """Whoever looks after the machine sees who did what, and that nobody changed that list."""
    made = door.aima.call("key", "create", "audited", "--role", "viewer", "--json")
    key = json.loads(made.stdout)
    assert knock(door, key["key"], "/api/v2/audit") == 403
    listed = json.loads(door.aima.call("audit", "--json").stdout)["commands"]
    [row] = [row for row in listed if row["action"] == "POST /api/v2/keys"][:1]
    assert (row["caller"], row["status"]) == ("the command line", 201)
    assert key["key"] not in json.dumps(listed)
    told = json.loads(door.aima.call("audit", "--verify", "--json").stdout)
    assert (told["ok"], told["faults"]) == (True, [])
    assert told["rows"] >= 1
    wrong = door.aima.call("audit", "--head", f"{row['seq']}:{'0' * 16}")
    assert wrong.returncode == 4
    assert f"row {row['seq']} is not the one that was told of" in wrong.stdout


def test_models_answer_clients_of_openai(door: Door) -> None:
    """The official client, with the key of the first start and nothing else to set up."""
    key = (door.aima.data / "admin.key").read_text().strip()
    with openai.OpenAI(base_url=f"http://127.0.0.1:{door.port}/v1", api_key=key) as client:
        question = [{"role": "user", "content": "What is the capital of France?"}]
        told: dict[str, Any] = {"model": "default", "messages": question, "max_tokens": 12}
        pieces = list(client.chat.completions.create(**told, stream=True))
        assert "Paris" in "".join(p.choices[0].delta.content or "" for p in pieces)
        vectors = client.embeddings.create(model="default", input=["a cat", "a dog"])
        assert [len(data.embedding) for data in vectors.data] == [384, 384]
    line = logged(door, "POST", "/v1/chat/completions")
    assert line["engine"] == "embedded"
    assert line["completion_tokens"] > 0


class Place(BaseModel):
    """What is asked for."""

    city: Literal["Paris", "Rome"]


def test_the_responses_api_is_served_by_the_engine_that_comes_with_aima(door: Door) -> None:
    """Streamed, kept, gone on from, and in a shape that was asked for."""
    key = (door.aima.data / "admin.key").read_text().strip()
    asked: dict[str, Any] = {"model": "default", "input": "What is the capital of France?"}
    with openai.OpenAI(base_url=f"http://127.0.0.1:{door.port}/v1", api_key=key) as client:
        with client.responses.stream(**asked) as stream:
            told = stream.get_final_response()
        assert "Paris" in told.output_text
        assert client.responses.retrieve(told.id).output_text == told.output_text
        shaped = client.responses.parse(
            model="default",
            input="Name that city.",
            previous_response_id=told.id,
            text_format=Place,
            max_output_tokens=40,
        )
        assert shaped.output_parsed is not None
    line = logged(door, "POST", "/v1/responses")
    assert line["engine"] == "embedded"
    assert line["completion_tokens"] > 0


@pytest.mark.nightly  # loading two models takes ten seconds of the suite
def test_speech_goes_through_the_door_and_back(door: Door) -> None:
    """What one embedded model says another one hears."""
    key = (door.aima.data / "admin.key").read_text().strip()
    with openai.OpenAI(base_url=f"http://127.0.0.1:{door.port}/v1", api_key=key) as client:
        spoken = client.audio.speech.create(model="tts-1", voice="alloy", input="Good morning.")
        recording = ("a.wav", spoken.read(), "audio/wav")
        heard = client.audio.transcriptions.create(model="whisper-1", file=recording)
        assert "morning" in heard.text.lower()


# --- units by themselves ---------------------------------------------------------------------


def test_a_query_answers_at_once(door: Door) -> None:
    """It changes nothing, so it needs no run."""
    body = json.dumps({"text": "Hello {{ name }}.", "values": {"name": "you"}}).encode()
    status, told, _ = door.ask("POST", "/api/v2/query/template.render", body=body)
    assert (status, told) == (200, {"text": "Hello you."})
    assert door.ask("POST", "/api/v2/command/template.render", body=body)[0] == 400
    assert door.ask("POST", "/api/v2/query/template.render", body=b'{"x": 1}')[0] == 400
    assert door.ask("POST", "/api/v2/query/template.rendr")[1]["code"] == "UNIT_NOT_FOUND"


def test_a_command_is_an_operation_that_happens_once(door: Door, tmp_path: Path) -> None:
    """However often it is sent under the same key; another request under that key is refused."""
    sink = Sink(tmp_path / "sink.db", tmp_path / "gate")
    body = json.dumps({"file": str(sink.file)}).encode()
    headers = {"idempotency-key": "k-1", "prefer": "respond-async, wait=60"}
    answers = [
        door.ask("POST", "/api/v2/command/sink.write", body=body, headers=headers) for _ in range(2)
    ]
    (status, told, sent), (_, again, _) = answers
    assert (status, told["state"], told["unit"]) == (200, "succeeded", "sink.write")
    assert again == told
    assert sent["preference-applied"] == "wait=60"
    assert door.ask("GET", sent["location"])[1] == told
    assert sink.deliveries("unit") == 1
    other = json.dumps({"file": str(tmp_path / "other.db")}).encode()
    refused = door.ask("POST", "/api/v2/command/sink.write", body=other, headers=headers)
    assert (refused[0], refused[1]["code"]) == (422, "INVALID_REQUEST")


def test_the_envelopes_of_the_earlier_system_reach_resources(door: Door) -> None:
    """They are read at the address of everything else."""
    body = json.dumps({"type": "resource", "unit": "asms://engines/status"}).encode()
    status, told, _ = door.ask("POST", "/api/v2/execute", body=body)
    assert (status, told["success"]) == (200, True)
    assert "embedded" in json.dumps(told["data"])


def test_anybody_may_ask_whether_it_is_ready(door: Door) -> None:
    """Whoever restarts it has no key; and is told no more."""
    for path in ("/livez", "/readyz"):
        status, told, _ = door.ask("GET", path, headers={"authorization": ""})
        assert (status, told) == (204, {})


def test_the_same_request_many_times_at_once_is_one_run(door: Door, tmp_path: Path) -> None:
    """Of a client that lost its patience, or runs twice: it happens once, and all are told so."""
    sink = Sink(tmp_path / "sink.db", tmp_path / "gate")
    body = json.dumps({"file": str(sink.file)}).encode()
    headers = {"idempotency-key": "at-once", "prefer": "wait=60"}

    def once(_: int) -> dict[str, object]:
        return door.ask("POST", "/api/v2/command/sink.write", body=body, headers=headers)[1]

    with ThreadPoolExecutor(20) as many:
        told = list(many.map(once, range(20)))
    assert {(one["id"], one["state"]) for one in told} == {(told[0]["id"], "succeeded")}
    assert sink.attempts("unit") == sink.deliveries("unit") == 1


def test_an_operation_is_cancelled(door: Door, tmp_path: Path) -> None:
    """It waits at a gate that nobody opens."""
    body = json.dumps({"file": str(tmp_path / "x.db"), "gate": str(tmp_path / "gate")}).encode()
    status, told, sent = door.ask("POST", "/api/v2/command/sink.write", body=body)
    assert status == 202
    assert told["state"] in ("queued", "running")  # whether its worker has it already
    asked = (door.ask("GET", sent["location"], headers={"prefer": "wait=1"}) for _ in range(60))
    told = next(one for _, one, _ in asked if "progress" in one)
    assert told["progress"] == {"attempt": 1, "message": "waiting at the gate"}
    assert (told["state"], told["ended"]) == ("running", None)
    assert door.ask("POST", f"{sent['location']}/cancel")[0] in (200, 202)
    ended = door.ask("GET", sent["location"], headers={"prefer": "wait=60"})[1]
    assert ended["state"] == "cancelled"
    assert str(ended["ended"]) > str(told["started"])
    assert door.ask("GET", "/api/v2/operations/none")[0] == 404


def test_what_is_managed_has_addresses_of_its_own(door: Door) -> None:
    """The same units as everywhere, by the names of things."""
    engines: Any = door.ask("GET", "/api/v2/engines")[1]
    assert "embedded" in [engine["name"] for engine in engines["items"]]
    assert door.ask("GET", "/api/v2/engines/embedded")[1]["name"] == "embedded"
    assert door.ask("GET", "/api/v2/engines/none")[0] == 404
    models: Any = door.ask("GET", "/api/v2/models?type=embedding")[1]
    assert {model["type"] for model in models["models"]} == {"embedding"}
    _, told, sent = door.ask("POST", "/api/v2/engines/embedded/sleep", body=b"{}")
    assert (told["unit"], sent["location"]) == (
        "engine.sleep",
        f"/api/v2/operations/{told['id']}",
    )
    ended = door.ask("GET", sent["location"], headers={"prefer": "wait=60"})[1]
    assert ended["state"] in ("succeeded", "failed")  # not every engine can sleep


def test_units_are_described_for_programs(door: Door) -> None:
    """Their names, their schemas, and all of the door in OpenAPI's form."""
    units: Any = door.ask("GET", "/api/v2/units")[1]["units"]
    assert {"inference.chat", "sink.write"} <= {unit["name"] for unit in units}
    assert door.ask("GET", "/api/v2/schema/sink.write")[1]["kind"] == "command"
    described: Any = door.ask("GET", "/api/v2/openapi.json")[1]
    assert described["openapi"] == "3.1.0"
    assert all(unit["links"]["self"] in described["paths"] for unit in units)


def test_the_how_to_page_works_as_it_stands(door: Door, tmp_path: Path) -> None:
    """Each block of it is pasted into a shell."""
    blocks = re.findall(r"```sh\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    environ = door.aima.environ | {"DOOR": f"http://127.0.0.1:{door.port}"}
    environ["PATH"] = f"{AIMA.parent}:{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", "\n".join(blocks)],
        cwd=tmp_path,  # it leaves files behind
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in (
        "Paris",
        "Hello Ann.",
        '"state":"succeeded"',
        '"ok":true',
        "event: piece",
        "event: end",
        "Water boils",
        '{"id":"ordered-wh-',
        "aima_",
    ):
        assert told in done.stdout


def files_of(data: Path) -> list[Path]:
    """List what a data folder keeps; the models are the tests' own."""
    return [p for p in data.rglob("*") if p.is_file() and not p.is_relative_to(data / "models")]
