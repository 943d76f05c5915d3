"""The benchmarks still run; what they measure is for `make bench`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench import audit, expressions, language
from bench._workers import Machine, machine

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIGURE = r"\d+(\.\d+)?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on() -> AsyncIterator[Machine]:
    """Start a server and the two workers."""
    async with machine() as started:
        yield started


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Read the rows of the table that was printed."""
    rows = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("case", ["nested-2", "local-2"])
async def test_runs_are_compared(
    case: str, on: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ways give the same output, or the benchmark fails; each figure is a positive number."""
    await language.measured(case, on, pairs=1)
    found = {row[1].split(",")[0]: row for row in lines(capsys)}
    assert list(found)[:3] == ["worker CPU ms", "server CPU ms", "latency ms"]
    assert all(row[0] == case for row in found.values())
    first, second = (float(cell.split()[0]) for cell in found["latency ms"][2:4])
    assert first > 0
    assert second > 0


async def test_replays_are_compared(on: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """The histories come from runs of just now."""
    await language.measured("replay:chain-2", on, pairs=1)
    [row] = lines(capsys)
    assert row[1] == "CPU ms of 17 events, by hand / AIMA"


async def test_memory_is_compared(on: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs that wait stay in their worker's memory."""
    await language.measured("memory-2", on, pairs=1)
    [row] = lines(capsys)
    assert row[:2] == ["memory-2", "KB for each waiting run, by hand / AIMA"]


async def test_compiling_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A file of five steps is enough to see that it works."""
    language.compiling("compile-5", 5, rounds=2)
    [row] = lines(capsys)
    assert row[:2] == ["compile-5", "CPU ms, check / compile"]


async def test_the_audit_log_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone, with others at once, and whole afterwards."""
    await audit.measure(tmp_path, 10)
    assert "entries, whole" in capsys.readouterr().out


async def test_expressions_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """With Google's evaluator beside ours, by turns."""
    expressions.main(rounds=2, seconds=0.001)
    assert "plain path: steps.chat.usage.tokens" in capsys.readouterr().out
