"""What the language costs: plans that AIMA runs beside Temporal workflows written by hand.

    python bench/language.py [CASE …] [--pairs N]

Two worker processes, one with the interpreter and one with workflows written by hand, serve two
queues of one server. They run the same activities and make the same promises: names, bounds,
retries, cancellation. Batches alternate between the two, so that both see the same machine; a
ratio has the 95 % interval of a bootstrap over the pairs. Cases:

    SHAPE-SIZE         worker CPU for each run and the time a client waits; shapes are
                       chain (in a row), fan (at once), nested (a loop, ten blocks deep)
    replay:SHAPE-SIZE  CPU of replaying the history of a run, without a server
    local-N            a chain of N units that run beside the workflow, beside the same as tasks
    memory-N           what each of N waiting runs of 20 steps keeps in its worker's memory
    compile-N          checking and compiling a file of N steps

Without a case all those of docs/performance.md are measured, in about ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import psutil
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from aima.gateway.workflows.definitions import Definitions
from aima.temporal.runs import RunRequest, Runs, new_run_id
from aima.workflows.interpreter import Interpreter
from bench import _shapes
from bench._ratios import ratio_of_means, spread
from bench._shapes import HAND_WRITTEN, Shape, shape
from bench._workers import AIMA, HAND, Machine, catalog, compiled, machine

CASES = (
    *("chain-3", "chain-100", "fan-100", "fan-1000", "nested-20"),
    *("replay:chain-100", "replay:fan-1000", "replay:nested-20"),
    *("local-10", "memory-300", "compile-200"),
)
PAIRS = 20
FILE_ROUNDS = 30
RUNS_IN_BATCH = {"chain-3": 10, "local-10": 5}
STARTS_AT_ONCE = 20

Run = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Contender:
    """One of two ways to do the same."""

    label: str
    run: Run
    worker: psutil.Process


@dataclass
class Samples:
    """What was measured of one contender."""

    worker_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    wait_ms: list[float] = field(default_factory=list)


def main() -> None:
    """Measure the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", default=CASES, metavar="CASE", help=" ".join(CASES))
    parser.add_argument("--pairs", type=int, default=PAIRS, help="batches of each contender")
    told = parser.parse_args()
    asyncio.run(measure(told.cases, told.pairs))


async def measure(cases: list[str], pairs: int) -> None:
    """Measure case after case, with a machine where one is needed."""
    print("| case | what | first | second | ratio |\n|--|--|--|--|--|")
    alone = [case for case in cases if case.startswith("compile-")]
    if len(alone) < len(cases):
        async with machine() as found:
            for case in cases:
                if case not in alone:
                    await measured(case, found, pairs)
    for case in alone:
        compiling(case, int(case.partition("-")[2]))


async def measured(case: str, on: Machine, pairs: int) -> None:
    """Measure one case on a machine."""
    kind, _, size = case.partition("-")
    if kind == "local":
        await compare(case, local(int(size), on), on, pairs)
    elif kind == "memory":
        await memory(case, int(size), on)
    elif kind.startswith("replay:"):
        await replay(case, shape(case.partition(":")[2]), on, pairs)
    else:
        await compare(case, both(shape(case), on), on, pairs)


# -- runs ------------------------------------------------------------------------------


def both(one: Shape, on: Machine) -> tuple[Contender, Contender]:
    """Give a shape's two ways."""
    plan = compiled(one.name, one.text)
    return (
        Contender("by hand", partial(on.by_hand, one), on.workers[HAND]),
        Contender("AIMA", partial(on.by_aima, plan, one.output), on.workers[AIMA]),
    )


def local(size: int, on: Machine) -> tuple[Contender, Contender]:
    """Give a chain whose steps are tasks of their own, and one of steps beside the workflow."""
    output = {"text": "hello"}
    tasks = compiled("tasks", _shapes.chain(size, unit="quick", more=", local: false"))
    beside = compiled("beside", _shapes.chain(size, unit="quick"))
    worker = on.workers[AIMA]
    return (
        Contender("tasks", partial(on.by_aima, tasks, output), worker),
        Contender("beside the workflow", partial(on.by_aima, beside, output), worker),
    )


async def compare(case: str, two: tuple[Contender, Contender], on: Machine, pairs: int) -> None:
    """Run batches in turn, and print a line for each thing measured."""
    measured = {one.label: Samples() for one in two}
    runs = RUNS_IN_BATCH.get(case, 1)
    for one in two:
        await one.run()  # warm
    for pair in range(pairs):
        for one in two if pair % 2 else reversed(two):
            await _batch(one, on, runs, measured[one.label])
    first, second = measured.values()
    _line(case, f"worker CPU ms, {_names(two)}", first.worker_ms, second.worker_ms)
    _line(case, "server CPU ms", first.server_ms, second.server_ms)
    _line(case, "latency ms", first.wait_ms, second.wait_ms)
    if case.startswith("local-"):
        events = [len((await _history(on, await one.run())).events) for one in two]
        print(f"| {case} | events in history | {events[0]} | {events[1]} | |", flush=True)


async def _batch(one: Contender, on: Machine, runs: int, into: Samples) -> None:
    worker, server = _cpu_ms(one.worker), _cpu_ms(on.server)
    begun = time.perf_counter()
    for _ in range(runs):
        await one.run()
    into.wait_ms.append((time.perf_counter() - begun) * 1000 / runs)
    into.worker_ms.append((_cpu_ms(one.worker) - worker) / runs)
    into.server_ms.append((_cpu_ms(on.server) - server) / runs)


def _names(two: tuple[Contender, Contender]) -> str:
    return " / ".join(one.label for one in two)


def _cpu_ms(process: psutil.Process) -> float:
    used = process.cpu_times()
    return (used.user + used.system) * 1000


def _line(case: str, what: str, first: list[float], second: list[float]) -> None:
    ratio = ratio_of_means(first, second)
    print(f"| {case} | {what} | {spread(first)} | {spread(second)} | {ratio} |", flush=True)


# -- replay ----------------------------------------------------------------------------


async def replay(case: str, one: Shape, on: Machine, pairs: int) -> None:
    """Replay a run of each way in this process, in turn, and print what that takes."""
    histories = [await _history(on, await contender.run()) for contender in both(one, on)]
    replayers = [
        Replayer(
            workflows=workflows,
            workflow_runner=UnsandboxedWorkflowRunner(),
            data_converter=on.client.data_converter,
        )
        for workflows in (HAND_WRITTEN, [Interpreter])
    ]
    two = list(zip(replayers, histories, strict=True))
    for replayer, history in two:
        await replayer.replay_workflow(history)  # warm
    times: list[list[float]] = [[], []]
    for pair in range(pairs):
        for way in (0, 1) if pair % 2 else (1, 0):
            gc.collect()
            begun = time.process_time()
            await two[way][0].replay_workflow(two[way][1])
            times[way].append((time.process_time() - begun) * 1000)
    _line(case, f"CPU ms of {len(histories[1].events)} events, by hand / AIMA", *times)


async def _history(on: Machine, run_id: str) -> WorkflowHistory:
    return await on.client.get_workflow_handle(run_id).fetch_history()


# -- memory ----------------------------------------------------------------------------


async def memory(case: str, count: int, on: Machine) -> None:
    """Start runs that wait, and print what each adds to its worker's memory."""
    plan = compiled("waiting", _shapes.waiting(_shapes.STEPS_BEFORE, _shapes.STEPS_AFTER))
    runs = Runs(on.client, AIMA)

    async def start(way: str) -> str:
        if way == AIMA:
            return await runs.start(plan, RunRequest({"text": "hello"}))
        given, run_id = {"text": "hello"}, new_run_id("waiting")
        await on.client.start_workflow("waiting", given, id=run_id, task_queue=HAND)
        return run_id

    grown: dict[str, float] = {}
    for way in (HAND, AIMA):
        before = await _waiting(on, way, [partial(start, way)] * max(1, count // 3))  # warm
        after = await _waiting(on, way, [partial(start, way)] * count)
        grown[way] = (after - before) / count
    print(
        f"| {case} | KB for each waiting run, by hand / AIMA | {grown[HAND] / 1000:.0f} "
        f"| {grown[AIMA] / 1000:.0f} | |",
        flush=True,
    )


async def _waiting(on: Machine, way: str, starts: list[Run]) -> int:
    """Start runs, wait until all of them wait, and give their worker's memory in bytes."""
    for first in range(0, len(starts), STARTS_AT_ONCE):
        some = starts[first : first + STARTS_AT_ONCE]
        for run_id in await asyncio.gather(*(start() for start in some)):
            while not await _waits(on, run_id):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.05)
    return int(on.workers[way].memory_info().rss)


async def _waits(on: Machine, run_id: str) -> bool:
    """Tell whether a run has done its first steps and has nothing more to do."""
    told = (await on.client.get_workflow_handle(run_id).describe()).raw_description
    busy = told.pending_activities or told.HasField("pending_workflow_task")
    return told.workflow_execution_info.history_length > _shapes.STEPS_BEFORE and not busy


# -- compiling -------------------------------------------------------------------------


def compiling(case: str, size: int, rounds: int = FILE_ROUNDS) -> None:
    """Check and compile a file again and again, and print the CPU time of each."""
    text = f"name: long\n{_shapes.chain(size)}"
    definitions = Definitions(catalog())
    checks, plans = [], []
    for _ in range(rounds):
        begun = time.process_time()
        checked = definitions.check(text, "bench.yaml")
        between = time.process_time()
        definitions.plan(checked)
        checks.append((between - begun) * 1000)
        plans.append((time.process_time() - between) * 1000)
    print(f"| {case} | CPU ms, check / compile | {spread(checks)} | {spread(plans)} | |")


if __name__ == "__main__":
    main()
