"""Settings, and what `aima doctor` and its like say about an installation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.command import AIMA, Aima
from tests.acceptance.running import living


@pytest.fixture
def project(aima: Aima, tmp_path: Path) -> Path:
    """An empty project that AIMA is called in."""
    folder = tmp_path / "project"
    folder.mkdir()
    aima.cwd = folder
    return folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = = 1", "Invalid value (at line 1, column 5)"),
        ("nope = 1", "setting 'nope': Extra inputs are not permitted; `aima settings` lists"),
        ("[worker]\nacts = 1", "setting 'worker.acts': Extra inputs are not permitted"),
        ("[worker]\nactivities = 'many'", "setting 'worker.activities': Input should be a valid"),
        ("[worker]\nactivities = 0", "setting 'worker.activities': Input should be greater"),
        ("worker = 3", "setting 'worker': Input should be a valid dictionary"),
        ("[engines.mine]", "setting 'engines.mine.url': Field required"),
        ("\xff", "invalid"),
    ],
)
def test_a_broken_aima_toml_is_told_with_its_file(
    aima: Aima, project: Path, text: str, message: str
) -> None:
    """Each command reads it; a mistake must not look like one of AIMA's."""
    (project / "aima.toml").write_bytes(text.encode("latin-1"))
    done = aima.call("settings")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {project / 'aima.toml'}: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AIMA_WORKER_ACTIVITIES", "many", "setting 'worker.activities': Input should be a valid"),
        ("AIMA_TEMPORAL_TLS", "maybe", "setting 'temporal.tls': Input should be a valid boolean"),
        ("AIMA_ENGINES", "{", "write a TOML table such as {a = 'b'}"),
        ("AIMA_LOG_LEVEL", "LOUD", "setting 'log_level'"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(
    aima: Aima, project: Path, name: str, value: str, message: str
) -> None:
    """The variable is what somebody has to change."""
    del project
    aima.settings = {name: value}
    done = aima.call("settings")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {name}: ")
    assert message in done.stderr


def test_settings_lists_each_with_its_variable_and_no_secret(aima: Aima, project: Path) -> None:
    """One look tells what is in force; keys are not for screens."""
    (project / "aima.toml").write_text("[temporal]\nretention_days = 7\n")
    aima.settings = {"AIMA_TEMPORAL_API_KEY": "sesame"}
    shown = aima.call("settings").stdout
    assert "  temporal.retention_days      AIMA_TEMPORAL_RETENTION_DAYS     7\n" in shown
    assert "sesame" not in shown
    told = aima.ask("settings")
    assert told["temporal.retention_days"] == 7
    assert told["models.mirror"] is None
    assert told["data"] == str(aima.data)
    assert "sesame" not in json.dumps(told)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nosuchmodule\n", ":1 cannot be imported: ModuleNotFoundError"),
        ("x = 1\ndef f(:\n", ":2 cannot be imported: SyntaxError"),
        ("\n\nraise KeyError('x')\n", ":3 cannot be imported: KeyError"),
    ],
)
def test_a_unit_that_cannot_be_imported_names_its_file_and_line(
    aima: Aima, project: Path, source: str, reason: str
) -> None:
    """A mistake in one's own module is found as fast as one in a workflow."""
    (project / "aima.toml").write_text("[project]\nactivities = true\n")
    module = project / "activities" / "mine.py"
    module.parent.mkdir()
    module.write_text(source)
    for command in (("units",), ("up",)):
        done = aima.call(*command)
        assert done.returncode == 2
        assert f"{module}{reason}" in done.stderr
        assert "Traceback" not in done.stderr
    assert not living(aima)
    assert f"✗ units {module}" in " ".join(aima.call("doctor").stdout.split())


def test_code_of_a_folder_runs_only_where_its_settings_say_so(aima: Aima, project: Path) -> None:
    """Nobody expects `aima` typed in a downloaded folder to run what lies there."""
    module = project / "activities" / "mine.py"
    module.parent.mkdir()
    module.write_text("raise SystemExit('this ran')\n")
    (project / "aima.toml").write_text("")
    done = aima.call("units")
    assert done.returncode == 0
    assert "this ran" not in done.stderr


@pytest.mark.parametrize("command", ["run", "up", "worker", "doctor"])
def test_a_temporal_that_cannot_be_reached_is_told_soon(
    aima: Aima, project: Path, command: str
) -> None:
    """The address, the system's reason and the setting, within seconds; nothing is left."""
    del project
    aima.settings = {"AIMA_TEMPORAL_ADDRESS": "127.0.0.1:9"}
    more = ("voice-assistant", "--example") if command == "run" else ()
    began = time.monotonic()
    done = aima.call(command, *more)
    assert time.monotonic() - began < 15
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "no Temporal server answers at '127.0.0.1:9'" in said
    assert "`temporal.address`" in said
    assert "Traceback" not in said
    assert not living(aima)


def test_a_worker_without_a_server_says_how_to_have_one(aima: Aima, project: Path) -> None:
    """On one machine nobody needs the command; on many it needs an address."""
    del project
    done = aima.call("worker")
    assert done.returncode == 2
    assert "set AIMA_TEMPORAL_ADDRESS" in done.stderr
    assert "`aima up`" in done.stderr


def test_doctor_finds_all_well_and_says_what_is_not(aima: Aima, project: Path) -> None:
    """The first thing to ask when something does not work."""
    del project
    well = aima.call("doctor")
    assert well.returncode == 0, well.stdout
    assert "✗" not in well.stdout
    aima.settings = {
        "AIMA_ENGINES": '{mine = {url = "http://127.0.0.1:9/v1"}, odd = {url = "nonsense"}}'
    }
    (aima.data / "models").unlink()
    done = aima.call("doctor")
    assert done.returncode == 1
    assert "✗ engine mine" in done.stdout
    assert "✗ engine odd" in done.stdout
    assert "→ aima models pull whisper-tiny.en" in done.stdout
    wrong = [finding["name"] for finding in aima_json(aima, "doctor") if not finding["ok"]]
    assert "engine mine" in wrong
    assert "model whisper-tiny.en" in wrong
    assert "Python" not in wrong


def test_the_lists_are_json_for_programs(aima: Aima, project: Path) -> None:
    """What a person reads in columns an agent reads in fields."""
    del project
    units = {unit["name"]: unit["kind"] for unit in aima.ask("units")}
    assert units["inference.chat"] == "command"
    assert units["inference.models"] == "query"
    unit = aima.ask("unit", "inference.chat")
    assert unit["input"]["required"] == ["messages"]
    assert {model["name"]: model["present"] for model in aima.ask("models")}["kokoro-82m"]
    assert aima.ask("ps") == {"pids": {}}
    assert aima.ask("check", "voice-assistant") == []
    assert aima.ask("runs") == {"runs": []}


def test_check_takes_files_folders_and_names(aima: Aima, project: Path) -> None:
    """All mistakes of all files at once; the exit code is for the build server."""
    (project / "bad.yaml").write_text("name: bad\nsteps:\n  - {id: a, type: no.such}\n")
    (project / "good.yml").write_text("name: good\nsteps:\n  - {id: a, type: inference.models}\n")
    good = aima.call("check", "good.yml", "voice-assistant")
    assert good.returncode == 0
    assert good.stderr == "no mistakes in 2 workflows\n"
    for name in ("below/deep", "invalid", ".hidden"):
        (project / name).mkdir(parents=True)
        (project / name / f"{name[-4:]}.yaml").write_text("name: w\nsteps: []\n")
    deep = aima.call("check", ".")
    assert "below/deep/deep.yaml:2:8: error[document/wrong-type]" in deep.stderr
    assert deep.stderr.endswith("2 errors in 3 workflows\n")
    (project / "below" / "deep" / "deep.yaml").unlink()
    both = aima.call("check", ".")
    assert both.returncode == 1
    assert "bad.yaml:3:19: error[unit/unknown]" in both.stderr
    assert both.stderr.endswith("1 error in 2 workflows\n")
    (project / "empty").mkdir()
    assert aima.call("check", "empty").returncode == 3
    assert aima.call("check", "none.yaml").returncode == 3


def test_the_exit_code_of_aima_test_is_for_the_build_server(aima: Aima, project: Path) -> None:
    """The process ends with it, though the SDK's own threads are still about."""
    (project / "w.yaml").write_text("name: w\nsteps:\n  - {id: a, set: {n: 1}}\n")
    cases = "cases:\n  - {name: good}\n  - {name: bad, expect: {state: failed}}\n"
    (project / "w.test.yaml").write_text(cases)
    both = aima.call("test", ".")
    assert both.returncode == 1
    assert "the run is completed, expected failed" in both.stdout


def test_a_disk_that_is_full_from_the_start_is_told(aima: Aima, project: Path) -> None:
    """Temporal would only die again and again; nothing is begun that cannot be kept."""
    small = project / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)]
    if subprocess.run(mount, check=False, timeout=10).returncode:
        pytest.skip("only root may mount the small disk that this needs")
    try:
        aima.data = small / "data"
        done = aima.call("up")
        assert done.returncode == 1
        assert "MB left; free some, or set AIMA_DATA" in done.stderr
        assert not living(aima)
        assert f"✗ data folder {aima.data}, " in " ".join(aima.call("doctor").stdout.split())
    finally:
        subprocess.run(["umount", str(small)], check=True, timeout=10)


@pytest.mark.parametrize("made", [True, False], ids=["read-only folder", "no right to make it"])
def test_a_data_folder_that_may_not_be_written_is_told(
    aima: Aima, project: Path, *, made: bool
) -> None:
    """Its name, the reason and the setting, whatever the command."""
    place = project / "place"
    place.mkdir()
    aima.data = place if made else place / "data"
    (place / "lock").touch(mode=0o400)
    place.chmod(0o500)
    for command in (("up",), ("run", "voice-assistant", "--example"), ("up", "--foreground")):
        done = call_bounded(aima, *command)
        assert done.returncode == 6, done.stderr
        assert str(place) in done.stderr
        assert "ermission" in done.stderr
        assert "Traceback" not in done.stderr
    assert not living(aima)


def test_an_output_file_that_may_not_be_written_is_told_before_the_work(
    aima: Aima, project: Path
) -> None:
    """A file of somebody else, or one that was locked on purpose."""
    (project / "answer.wav").touch(mode=0o400)
    done = call_bounded(aima, "run", "voice-assistant", "--example", "-o", "audio=answer.wav")
    assert done.returncode == 6
    assert "-o audio=answer.wav: 'answer.wav' may not be written" in done.stderr
    assert not (aima.data / "lock").exists()


def call_bounded(aima: Aima, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call AIMA as somebody whom the modes of files bind; root gives its exception up."""
    bounded: list[str] = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and `setpriv` is not here")
        bounded = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    return subprocess.run(
        [*bounded, str(AIMA), *arguments],
        cwd=aima.cwd,
        env=aima.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def aima_json(aima: Aima, command: str) -> list[dict[str, object]]:
    """Give what a command that fails tells as JSON."""
    found: list[dict[str, object]] = json.loads(aima.call(command, "--json").stdout)
    return found
