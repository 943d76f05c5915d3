"""What a store of passages costs: to fill, to search, to keep, and how much it finds.

    python -m bench.retrieval [passages [STORE …]]

Vectors of 384 numbers are made (`bench._corpus`); what is nearest is known from comparing with
every vector. Stores are AIMA's and, where they are installed, those it was chosen among
(`bench._stores`). Each is filled in one process, in batches of 500 that must each survive a kill,
and searched in another, so that memory is that of searching alone.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench._corpus import LANGUAGES, Corpus, Vectors
from bench._ratios import spread
from bench._stores import STORES, Store, Test

PASSAGES = 100_000
BATCH = 500
QUERIES = 40
KILLS = 10
WARM = 3
TOP_K = 10
MILLI = 1000
VECTORS = "vectors.f32"


@dataclass
class Filled:
    """What filling took.

    Attributes:
        seconds: from the first passage to the last, and then to build what is built at the end.
        cpu: seconds of the processor.
    """

    seconds: float
    built: float
    cpu: float
    peak_mib: int


@dataclass
class Asked:
    """What came of the questions, with one filter or none."""

    among: str
    ms: list[float]
    cpu: list[float]
    recall: float
    peak_mib: int


def fill(store: str, folder: Path, count: int) -> Filled:
    """Keep all passages."""
    corpus = Corpus(folder / VECTORS, count)
    kept = STORES[store][1](folder / store)
    seconds = used = 0.0
    for rows in corpus.batches(BATCH):
        begun, cpu = time.perf_counter(), time.process_time()
        kept.add(rows)
        seconds += time.perf_counter() - begun
        used += time.process_time() - cpu
    begun, cpu = time.perf_counter(), time.process_time()
    kept.finish()
    built = time.perf_counter() - begun
    return Filled(seconds, built, used + time.process_time() - cpu, _peak_mib())


def search(store: str, folder: Path, count: int) -> list[Asked]:
    """Ask without and with filters."""
    corpus = Corpus(folder / VECTORS, count)
    questions = corpus.questions(QUERIES)
    kept = STORES[store][1](folder / store)
    for question in questions[:WARM]:
        kept.search(question, TOP_K, None)
    numbers = np.arange(count)
    tests: dict[str, tuple[Test | None, npt.NDArray[np.bool_]]] = {
        "all": (None, numbers >= 0),
        "a fifth": (("language", LANGUAGES[-1]), numbers % len(LANGUAGES) == len(LANGUAGES) - 1),
        "a hundredth": (("number", count // 100), numbers < count // 100),
    }
    asked, answers = [], []
    for among, (test, _) in tests.items() if kept.filters else [("all", tests["all"])]:
        ms, cpu, found = _asked(kept, questions, test)
        answers.append(found)
        asked.append(Asked(among, ms, cpu, 0, _peak_mib()))
    for one, found in zip(asked, answers, strict=True):
        true = corpus.nearest(questions, TOP_K, tests[one.among][1])
        hits = sum(len(a & set(b)) for a, b in zip(true, found, strict=True))
        one.recall = hits / QUERIES / TOP_K
    return asked


def write(store: str, folder: Path, count: int) -> None:
    """Keep passages until somebody kills this; print how many are kept."""
    kept = STORES[store][1](folder / store)
    for rows in Corpus(folder / VECTORS, count).batches(BATCH):
        kept.add(rows)
        print(kept.count(), flush=True)


def kill(store: str, folder: Path, count: int) -> None:
    """Kill a writer again and again; tell how often what it had acknowledged was not there."""
    (folder / store).mkdir()
    lost = 0
    for turn in range(KILLS):
        command = [sys.executable, "-m", "bench.retrieval", "--write", store, str(folder)]
        with subprocess.Popen([*command, str(count)], stdout=subprocess.PIPE, text=True) as writer:
            said = [writer.stdout.readline() for _ in range(turn + 2)] if writer.stdout else []
            time.sleep(turn * 0.01)  # so that each is hit in another place
            writer.kill()
        [there] = _in_a_process("--count", store, str(folder), str(count))
        lost += there["count"] < int(said[-1]) or there["count"] % BATCH != 0
    print(f"{store}: {KILLS} writers killed, {lost} times something was lost or half there")


def _asked(
    kept: Store, questions: Vectors, test: Test | None
) -> tuple[list[float], list[float], list[list[int]]]:
    ms, used, answers = [], [], []
    for question in questions:
        begun, cpu = time.perf_counter(), time.process_time()
        answers.append(kept.search(question, TOP_K, test))
        ms.append((time.perf_counter() - begun) * MILLI)
        used.append((time.process_time() - cpu) * MILLI)
    return ms, used, answers


def _peak_mib() -> int:
    """Tell the most memory of this process; `getrusage` would tell its parent's, if larger."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    [peak] = [line for line in lines if line.startswith("VmHWM")]
    return int(peak.split()[1]) >> 10


def _in_a_process(*arguments: str) -> list[Any]:
    command = [sys.executable, "-m", "bench.retrieval", *arguments]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def measure(store: str, folder: Path, count: int) -> None:
    """Fill a store, if it is empty, and ask it; print what was seen."""
    (folder / store).mkdir(exist_ok=True)
    what = (store, str(folder), str(count))
    if not any((folder / store).iterdir()):
        filled = Filled(**_in_a_process("--fill", *what)[0])
        seconds = filled.seconds + filled.built
        print(
            f"{store}, {count}: kept in {seconds:.0f} s, {filled.built:.0f} of them at the end, "
            f"{count / seconds:.0f}/s, CPU {filled.cpu:.0f} s, most memory {filled.peak_mib} MiB"
        )
    disk = sum(file.stat().st_size for file in (folder / store).rglob("*") if file.is_file())
    print(f"{store}, {count}: {disk >> 20} MiB on disk")
    for one in (Asked(**seen) for seen in _in_a_process("--search", *what)):
        slow = statistics.quantiles(one.ms, n=20)[-1]
        print(
            f"{store}, {count}: among {one.among}: {spread(one.ms)} ms, p95 {slow:.1f}, "
            f"CPU {spread(one.cpu)} ms, recall@{TOP_K} {one.recall:.3f}, "
            f"most memory {one.peak_mib} MiB",
            flush=True,
        )


def main(arguments: Sequence[str]) -> None:
    """Measure with as many passages, and the stores, that the command line names."""
    if arguments[:1] == ["--fill"]:
        print(json.dumps(asdict(fill(arguments[1], Path(arguments[2]), int(arguments[3])))))
        return
    if arguments[:1] == ["--write"]:
        write(arguments[1], Path(arguments[2]), int(arguments[3]))
        return
    if arguments[:1] == ["--count"]:
        kept = STORES[arguments[1]][1](Path(arguments[2]) / arguments[1])
        print(json.dumps({"count": kept.count()}))
        return
    if arguments[:1] == ["--search"]:
        for one in search(arguments[1], Path(arguments[2]), int(arguments[3])):
            print(json.dumps(asdict(one)))
        return
    count = int(arguments[0]) if arguments else PASSAGES
    there = [name for name, (package, _) in STORES.items() if find_spec(package)]
    with tempfile.TemporaryDirectory() as folder:
        Corpus(Path(folder) / VECTORS, count)
        for store in arguments[1:] or there:
            measure(store, Path(folder), count)
        killing = Path(folder) / "killing"
        killing.mkdir()
        (killing / VECTORS).symlink_to(Path(folder) / VECTORS)
        for store in arguments[1:] or there:
            kill(store, killing, count)


if __name__ == "__main__":
    main(sys.argv[1:])
