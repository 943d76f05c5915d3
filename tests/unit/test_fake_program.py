"""The fake engine as a program."""

from __future__ import annotations

import subprocess
import sys
import urllib.request

from click.testing import CliRunner

from aima.testing.engines.__main__ import main


def test_a_fake_runs_by_itself() -> None:
    """For whoever tests in another language: one line starts it and tells where."""
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "aima.testing.engines",
            "ollama",
            "--port",
            "0",
            "--set",
            "tokens=3",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with urllib.request.urlopen(f"{url}/api/version", timeout=30) as answer:  # noqa: S310 - loopback
                assert answer.read() == b'{"version":"0.12.0"}'
        finally:
            process.terminate()


def test_a_fault_that_is_none_is_told_with_those_there_are() -> None:
    """A misspelt knob would test nothing."""
    done = CliRunner().invoke(main, ["ollama", "--set", "tokns=3"])
    assert done.exit_code == 2
    assert "'tokns'" in done.output
    assert "tokens" in done.output


def test_a_program_that_is_to_fail_does_so_before_it_listens() -> None:
    """For whoever starts engines: a wrong flag, a model that does not fit."""
    done = CliRunner().invoke(main, ["vllm", "--set", "fail_start=true", "--set", "models=a,b"])
    assert (done.exit_code, "http" in done.output) == (1, False)
