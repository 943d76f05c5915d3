"""Runs for comparing: each construct alone and in every other, with effects, undos and cleanup.

A scenario is a workflow and what is done to it while it runs. Its account is everything that a
continue-as-new must not change: how it ended, which effects it had, what was undone in which order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from json import dumps, loads
from typing import Any, TypeAlias

from aima.dsl.json import Json
from aima.gateway.workflows.definitions import Definitions
from aima.temporal.runs import RunRequest
from aima.workflows.interpreter import STATE
from tests.integration.lab import Lab

Step: TypeAlias = dict[str, Any]
Act: TypeAlias = tuple[Any, ...]

CHILD = {
    "name": "child-of-a-run",
    "steps": [
        {"id": "c1", "type": "lab.pay", "input": {"name": "c1", "times": 0}},
        {"id": "c2", "depends_on": ["c1"], "type": "lab.pay", "input": {"name": "c2", "times": 0}},
    ],
    "output": {"c": "${steps.c2.name}"},
}


WAITING_CHILD = {
    "name": "child-that-waits",
    "steps": [
        {"id": "c1", "type": "lab.pay", "input": {"name": "c1", "times": 0}},
        {
            "id": "c2",
            "depends_on": ["c1"],
            "type": "lab.hang",
            "input": {"name": "${run.id} child"},
        },
    ],
    "finally": [{"id": "c3", "type": "lab.pay", "input": {"name": "c3", "times": 0}}],
}


@dataclass(frozen=True)
class Scenario:
    """A workflow, and what is done to it: ``(seen | open | send | approve | cancel, …)``.

    Attributes:
        order: whether what was done side by side ends in one order, so that the undos have one.
        ragged: steps of which it is left open how far they come.
    """

    name: str
    document: dict[str, Any]
    acts: tuple[Act, ...] = ()
    order: bool = True
    ragged: frozenset[str] = frozenset({"side1", "side2", "vr", "wr", "wg"})


@dataclass(frozen=True)
class Account:
    """How a run ended, and what it did to the world."""

    state: str
    output: Json
    error: Json
    status: str
    effects: list[str]
    undos: list[str]
    counts: dict[str, dict[str, int]]
    histories: int = field(compare=False)
    attempts: list[str] = field(compare=False)


def _named(name: str) -> dict[str, Any]:
    return {"name": f"${{run.id}} {name}", "times": 0}


def pay(name: str, *after: str, undo: bool = True) -> Step:
    """Write a step that has an effect, and an undo that has one too."""
    step: Step = {"id": name, "type": "lab.pay", "input": _named(name)}
    if after:
        step["depends_on"] = list(after)
    if undo:
        step["compensate"] = {"type": "lab.pay", "input": _named(f"undo {name}")}
    return step


def gate(name: str, *after: str) -> Step:
    """Write a step that waits until the test lets it go on."""
    step: Step = {"id": name, "type": "lab.hang", "input": {"name": f"${{run.id}} {name}"}}
    return {**step, "depends_on": list(after)} if after else step


ENDS: dict[str, Callable[[str], Step]] = {
    "well": lambda i: {"id": f"{i}e", "depends_on": [f"{i}b"], "set": {"x": 1}},
    "badly": lambda i: {
        "id": f"{i}e",
        "depends_on": [f"{i}b"],
        "raise": {"code": "BOOM", "message": "it broke"},
    },
    "cancelled": lambda i: gate(f"{i}e", f"{i}b"),
}


def leaf(i: str, end: str) -> list[Step]:
    """Write two effects in a row, and how it ends."""
    return [pay(f"{i}a"), pay(f"{i}b", f"{i}a"), ENDS[end](i)]


def _tidied(i: str) -> list[Step]:
    return [pay(f"{i}f1", undo=False), pay(f"{i}f2", f"{i}f1", undo=False)]


def _failing(i: str, code: str) -> list[Step]:
    """Write an effect, and a failure after it."""
    return [
        pay(f"{i}s"),
        {"id": f"{i}r", "depends_on": [f"{i}s"], "raise": {"code": code, "message": "x"}},
    ]


def _repeat(i: str, inner: list[Step]) -> Step:
    count = {"id": f"{i}k", "set": {"n": f"${{has(steps.{i}k) ? steps.{i}k.n + 1 : 1}}"}}
    said = {"until": f"${{steps.{i}k.n >= 2}}", "max": 5}
    return {"id": i, "repeat": said, "steps": [count, *inner]}


def _for_each(i: str, inner: list[Step], **more: object) -> Step:
    return {"id": i, "for_each": {"as": f"{i}_item", **more}, "steps": inner}


def _switch(i: str, inner: list[Step]) -> Step:
    return {"id": i, "switch": [{"if": False, "steps": [pay(f"{i}n")]}, {"else": inner}]}


def _block(**more: object) -> Callable[[str, list[Step]], Step]:
    return lambda i, inner: {"id": i, **more, "steps": inner}


WRAPS: dict[str, Callable[[str, list[Step]], Step]] = {
    "block": _block(),
    "finally": lambda i, inner: {"id": i, "steps": inner, "finally": _tidied(i)},
    "in-finally": lambda i, inner: {"id": i, "steps": [pay(f"{i}s")], "finally": inner},
    "switch": _switch,
    "repeat": _repeat,
    "for-each": lambda i, inner: _for_each(i, inner, **{"in": [1, 2], "max_parallel": 1}),
    "for-each-all": lambda i, inner: _for_each(
        i, inner, **{"in": [1, 2], "on_failure": "continue"}
    ),
    "race": lambda i, inner: {
        "id": i,
        "race": [
            {"steps": inner},
            {"steps": [{"id": f"{i}r", "raise": {"code": "LOST", "message": "x"}}]},
        ],
    },
    "retry": _block(retry={"max_attempts": 2, "delay": "1ms"}),
    "catch": lambda i, inner: {"id": i, "steps": inner, "catch": [{"steps": _tidied(i)}]},
    "in-catch": lambda i, inner: {
        "id": i,
        "steps": _failing(i, "OH"),
        "catch": [{"codes": ["OH"], "steps": inner}],
    },
    "timeout": _block(timeout="1h"),
    "deadline": _block(deadline="1h"),
    "on-failure": _block(on_failure="continue"),
    "if": _block(**{"if": "${input.yes}"}),
}


def document(name: str, steps: list[Step], **more: object) -> dict[str, Any]:
    """Write a workflow with steps beside, and with everything that cleans up."""
    side: list[Step] = [{"id": f"side{n}", "type": "lab.echo", "input": {"n": n}} for n in (1, 2)]
    for before, step in pairwise(side):
        step["depends_on"] = [before["id"]]
    return {
        "name": name,
        "steps": [*steps, *side],
        "on_failure": [pay("told", undo=False)],
        "finally": [pay("t1", undo=False), pay("t2", "t1", undo=False)],
        **more,
    }


def alone(*ends: str) -> Iterator[Scenario]:
    """Give each construct around two effects, ending in each way, or in those that are named."""
    for name, end in product(WRAPS, ends or ENDS):
        if (name, end) != ("in-finally", "cancelled"):  # no cancel reaches what waits in there
            yield scenario(f"{name}-{end}", [WRAPS[name]("w", leaf("x", end))], end)


def nested() -> Iterator[Scenario]:
    """Give each construct in each other, ending in each way."""
    for outer, inner, end in product(WRAPS, WRAPS, ENDS):
        if "in-finally" not in (outer, inner) or end != "cancelled":
            step = WRAPS[outer]("w", [WRAPS[inner]("v", leaf("x", end))])
            yield scenario(f"{outer}-{inner}-{end}", [step], end)


def told() -> Iterator[Scenario]:
    """Give what waits, what is sent meanwhile, and ends that are cleaned up after for long."""
    for name, (steps, acts, more) in TOLD.items():
        yield Scenario(name, document(name, steps, **more), acts, order=name != "item-failed")


def _stopped(i: str, end: Step, **more: object) -> Step:
    """Write a block that ends while another one in it, which tidies up for long, waits."""
    waits = {"id": f"{i}w", "steps": [pay(f"{i}p"), gate(f"{i}g", f"{i}p")], "finally": _tidied(i)}
    trigger = gate(f"{i}t")
    return {"id": i, "steps": [waits, trigger, {**end, "depends_on": [f"{i}t"]}], **more}


_BOOM = {"id": "boom", "raise": {"code": "BOOM", "message": "it broke"}}
_ONCE = {"retry": {"max_attempts": 1}}
_OPEN: tuple[Act, ...] = (("seen", "wg", "wt"), ("open", "wt"))
_SEND_WHILE_BUSY: tuple[Act, ...] = (
    ("seen", "busy"),
    *(("send", "go", n) for n in range(3)),
    ("open", "busy"),
)

TOLD: dict[str, tuple[list[Step], tuple[Act, ...], dict[str, Any]]] = {
    "failed-beside": ([_stopped("w", _BOOM)], _OPEN, {}),
    "failed-beside-and-caught": (
        [_stopped("w", _BOOM, catch=[{"steps": [pay("c1"), pay("c2", "c1")]}])],
        _OPEN,
        {},
    ),
    "failed-beside-and-retried": (
        [_stopped("w", _BOOM, retry={"max_attempts": 2, "delay": "1ms"})],
        _OPEN,
        {},
    ),
    "returned-beside": (
        [_stopped("w", {"id": "over", "return": {"answer": 42}})],
        _OPEN,
        {},
    ),
    "timed-out": (
        [
            {
                "id": "w",
                "timeout": "2s",
                "on_failure": "continue",
                "steps": [pay("wp"), gate("wg", "wp")],
                "finally": _tidied("w"),
            },
            pay("after", "w"),
        ],
        (),
        {},
    ),
    "run-timed-out": (
        [{"id": "w", "steps": [pay("wp"), gate("wg", "wp")], "finally": _tidied("w")}],
        (),
        {"timeout": "3s"},
    ),
    "race-lost": (
        [
            {
                "id": "w",
                "race": [
                    {"steps": [_stopped("v", {"id": "vz", "set": {"x": 1}})]},
                    {"steps": [gate("win"), pay("won", "win")]},
                ],
            },
            pay("after", "w"),
        ],
        (("seen", "vg", "vt", "win"), ("open", "win")),
        {},
    ),
    "item-failed": (
        [
            {
                "id": "w",
                "for_each": {"in": [1, 2], "max_parallel": 2},
                "steps": [
                    {
                        "id": "v",
                        "steps": [
                            pay("vp"),
                            {**gate("g${item}", "vp"), "id": "vg"},
                            {**_BOOM, "depends_on": ["vg"]},
                        ],
                        "finally": _tidied("v"),
                    }
                ],
            }
        ],
        (("seen", "g1", "g2"), ("open", "g1")),
        {},
    ),
    "signals": (
        [gate("busy"), *({"id": f"s{n}", "wait_for": {"signal": "go"}} for n in range(3))],
        _SEND_WHILE_BUSY,
        {"output": {"sum": "${steps.s0.data + steps.s1.data + steps.s2.data}"}},
    ),
    "signals-in-a-loop": (
        [
            gate("busy"),
            {
                "id": "w",
                "repeat": {"until": "${steps.got.data >= 2}", "max": 9},
                "steps": [{"id": "got", "wait_for": {"signal": "go"}}, pay("p", "got")],
            },
        ],
        _SEND_WHILE_BUSY,
        {},
    ),
    "approvals-in-items": (
        [
            gate("busy"),
            {
                "id": "w",
                "for_each": {"in": ["x", "y"]},
                "steps": [{"id": "ok", "wait_for": {"approval": {}}}, pay("p", "ok")],
            },
        ],
        (("seen", "busy"), ("approve", "ok[1]"), ("open", "busy"), ("approve", "ok[0]")),
        {},
    ),
    "timed-wait": (
        [
            {"id": "w", "wait": "500ms"},
            pay("p", "w"),
            {"id": "v", "wait_for": {"signal": "no", "timeout": "1s", "on_timeout": "continue"}},
            pay("q", "v"),
        ],
        (),
        {},
    ),
    "child": (
        [
            {"id": "w", "workflow": "./child-of-a-run.yaml", "timeout": "1h"},
            pay("p", "w"),
            {"id": "v", "workflow": "./child-of-a-run.yaml"},
        ],
        (),
        {"output": {"c": "${steps.w.c}${steps.v.c}"}},
    ),
    "child-cancelled": (
        [pay("p"), {"id": "w", "workflow": "./child-that-waits.yaml", "depends_on": ["p"]}],
        (("seen", "/w child"), ("cancel",)),
        {},
    ),
    "held-key": ([pay("p"), pay("q", "p")], (), {"concurrency": {"key": "${run.id}"}}),
    "held-key-cancelled": (
        [pay("p"), gate("g", "p")],
        (("seen", "g"), ("cancel",)),
        {"concurrency": {"key": "${run.id}"}},
    ),
    "cancelled-while-tidying": (
        [pay("p"), {"id": "w", "steps": [pay("q", "p")], "finally": [gate("g"), pay("r", "g")]}],
        (("seen", "g"), ("cancel",), ("open", "g")),
        {},
    ),
    "cancelled-at-the-end": (
        [pay("p")],
        (("seen", "g"), ("cancel",), ("open", "g")),
        {"finally": [gate("g"), pay("r", "g", undo=False)]},
    ),
    "badly-undone": (
        [
            pay("p"),
            {**pay("q", "p"), "compensate": {"type": "lab.fail", **_ONCE, "input": {"name": "no"}}},
            {**_BOOM, "depends_on": ["q"]},
        ],
        (),
        {},
    ),
    "cancelled-while-undoing": (
        [
            pay("p"),
            {
                **pay("q", "p"),
                "compensate": {"type": "lab.hang", "input": {"name": "${run.id} u"}},
            },
            {**_BOOM, "depends_on": ["q"]},
        ],
        (("seen", "u"), ("cancel",), ("open", "u")),
        {},
    ),
    "badly-tidied": (
        [pay("p")],
        (),
        {"finally": [pay("t", undo=False), {**_BOOM, "depends_on": ["t"]}]},
    ),
    "emitted": (
        [
            {"id": "w", "emit": {"type": "paid.now", "data": {"n": 1}}},
            {"id": "v", "depends_on": ["w"], "wait_for": {"event": {"type": "paid.now"}}},
            pay("p", "v"),
        ],
        (),
        {"output": {"n": "${steps.v.data.n}"}},
    ),
}


def scenario(name: str, steps: list[Step], end: str) -> Scenario:
    """Make a scenario; one that is cancelled is so while steps wait for their gate."""
    at_once = 2 ** name.count("for-each-all")
    acts: tuple[Act, ...] = ()
    if end == "cancelled":  # when each item is at its gate, so that nothing is left to chance
        acts = (("seen", f"xe x{at_once}"), ("cancel",))
    return Scenario(name, document(name, steps), acts, order=at_once == 1)


async def play(lab: Lab, played: Scenario) -> Account:
    """Run a scenario and give its account."""
    for child in (CHILD, WAITING_CHILD):
        (lab.settings.data / f"{child['name']}.yaml").write_text(dumps(child))
    definitions = Definitions(lab.catalog)
    text, place = dumps(played.document), str(lab.settings.data / "test.yaml")
    checked = definitions.check(text, place)
    assert checked.document is not None, checked.diagnostics
    plan = definitions.plan(checked)
    run_id = await lab.runs.start(plan, RunRequest({"yes": True}))
    for act in played.acts:
        await _do(lab, run_id, act)
    outcome = await lab.outcome(run_id)
    description = await lab.handle(run_id).describe()
    state: Any = await lab.handle(run_id).query(STATE)
    effects = [_path(e) for e in lab.board.effects if e.startswith(f"{run_id}/")]
    attempts = [_path(e) for e in lab.board.calls if e.startswith(f"{run_id}/")]
    undos = [e for e in effects if e.startswith("undo:")]
    error: dict[str, Any] = dict(outcome.error or {})
    if not played.order:
        error["undone"] = sorted(map(dumps, error.get("undone", ())))
    started = f"WorkflowId = '{run_id}'"
    return Account(
        outcome.state,
        loads(dumps(outcome.output).replace(run_id, "RUN")),
        loads(dumps(error).replace(run_id, "RUN")),
        str(description.status and description.status.name),
        sorted(effects),
        undos if played.order else sorted(undos),
        {k: _some(v) for k, v in state["counts"].items() if k not in played.ragged},
        (await lab.client.count_workflows(started)).count,
        attempts,
    )


def _path(effect: str) -> str:
    """Leave the ids of runs out of an effect's key."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}/", "", effect.split("/", 1)[1])


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {state: count for state, count in counts.items() if count}


async def _do(lab: Lab, run_id: str, act: Act) -> None:
    match act:
        case ("seen", *names):
            wanted = (name if name.startswith("/") else f" {name}" for name in names)
            await lab.board.until_seen(*(f"{run_id}{name}" for name in wanted))
        case ("open", name):
            lab.board.gates[f"{run_id} {name}"].set()
        case ("send", name, value):
            await lab.runs.send(run_id, name, value)
        case ("approve", address):
            answer: dict[str, Json] = {"step": address, "approved": True, "by": "ann"}
            await lab.runs.send(run_id, "aima.approve", answer)
        case ("cancel",):
            await lab.runs.cancel(run_id)
        case _:
            raise AssertionError(act)


async def play_all(lab: Lab, scenarios: list[Scenario], at_once: int = 12) -> dict[str, Account]:
    """Run scenarios, some at a time."""
    slots = asyncio.Semaphore(at_once)

    async def one(played: Scenario) -> Account:
        async with slots:
            return await play(lab, played)

    accounts = await asyncio.gather(*map(one, scenarios))
    return {played.name: account for played, account in zip(scenarios, accounts, strict=True)}
