"""Units that a test can steer and look into, and the board on which both sides write."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from aima.errors import error_class
from aima.unit import Context, Domain, Retry

PATIENCE = 40.0
"""Seconds that something may take which should take none."""


@dataclass
class Board:
    """What happened inside units, and what they wait for."""

    calls: list[str] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    effects: list[str] = field(default_factory=list)
    raises: dict[str, Exception] = field(default_factory=dict)
    running: int = 0
    peak: int = 0
    gates: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )

    def seen(self, name: str) -> asyncio.Event:
        """Give the event that a unit sets when it begins under ``name``."""
        return self.gates[f"seen {name}"]

    async def until_seen(self, *names: str) -> None:
        """Wait until units have begun under all these names."""
        async with asyncio.timeout(PATIENCE):
            for name in names:
                await self.seen(name).wait()


class Anything(BaseModel):
    """Whatever a unit is given, it gives back."""

    model_config = ConfigDict(extra="allow")


class Named(BaseModel):
    """A call that a test can recognise."""

    model_config = ConfigDict(extra="forbid")

    name: str = "x"
    after: object = None


class Meeting(Named):
    """Where to wait for how many others."""

    parties: int


class Failing(Named):
    """How to fail: with which code, how often."""

    code: str = "EXECUTION_FAILED"
    times: int = 1_000


class Sized(Named):
    """How much text to give."""

    characters: int = 0
    text: str = ""


class Number(BaseModel):
    """A number, or what is none."""

    value: float = 0


QUICK = Retry(attempts=3, delay=timedelta(milliseconds=1))


@dataclass
class LabUnits:
    """The bodies of the units that write on a board."""

    board: Board

    async def echo(self, request: Anything, ctx: Context) -> Anything:
        """Give back what was given."""
        del ctx
        name = str((request.model_extra or {}).get("name", ""))
        self.board.began.append(name)
        self.board.calls.append(name)
        return request

    async def meet(self, request: Meeting, ctx: Context) -> Named:
        """Wait until enough others wait at the same time."""
        del ctx
        self.board.running += 1
        self.board.peak = max(self.board.peak, self.board.running)
        if self.board.running >= request.parties:
            self.board.gates["met"].set()
        async with asyncio.timeout(PATIENCE):
            await self.board.gates["met"].wait()
        self.board.calls.append(request.name)
        return Named(name=request.name)

    async def crowd(self, request: Named, ctx: Context) -> Named:
        """Be counted among those that run at once, for a moment."""
        del ctx
        self.board.running += 1
        self.board.peak = max(self.board.peak, self.board.running)
        await asyncio.sleep(0.05)
        self.board.running -= 1
        self.board.calls.append(request.name)
        return Named(name=request.name)

    async def fail(self, request: Failing, ctx: Context) -> Named:
        """Fail with a code so many times, then succeed."""
        self.board.attempts[request.name] += 1
        self.board.seen(request.name).set()
        if self.board.attempts[request.name] > request.times:
            return Named(name=request.name)
        ctx.progress("about to fail")
        raise error_class(request.code)(f"asked to fail with {request.code}")

    async def break_(self, request: Named, ctx: Context) -> Named:
        """Meet a mistake of its own."""
        del ctx
        self.board.attempts[request.name] += 1
        raise KeyError("what nobody thought of")

    async def raise_(self, request: Named, ctx: Context) -> Named:
        """Raise what the test has put on the board."""
        del ctx
        self.board.attempts[request.name] += 1
        raise self.board.raises[request.name]

    async def leave(self, request: Named, ctx: Context) -> Named:
        """Try to end the process."""
        del ctx
        self.board.attempts[request.name] += 1
        sys.exit(3)

    async def forget(self, request: Named, ctx: Context) -> Named:
        """Return nothing, though something is declared."""
        del ctx
        self.board.attempts[request.name] += 1
        return None  # type: ignore[return-value] # the mistake under test

    async def give_up(self, request: Named, ctx: Context) -> Named:
        """End as if it had been cancelled."""
        del ctx
        self.board.attempts[request.name] += 1
        raise asyncio.CancelledError

    async def nan(self, request: Named, ctx: Context) -> Number:
        """Give what is no number."""
        del ctx
        self.board.attempts[request.name] += 1
        return Number(value=float("nan"))

    async def hang(self, request: Named, ctx: Context) -> Named:
        """Wait until the test opens the gate of this name; tell when cancelled."""
        self.board.began.append(request.name)
        self.board.attempts[request.name] += 1
        ctx.progress(f"waiting for {request.name}")
        self.board.seen(request.name).set()
        self.board.seen(f"{request.name} x{self.board.attempts[request.name]}").set()
        try:
            await self.board.gates[request.name].wait()
        except asyncio.CancelledError:
            self.board.cancelled.append(request.name)
            raise
        return Named(name=request.name)

    async def lively(self, request: Named, ctx: Context) -> Named:
        """Make progress all the time for two seconds."""
        for step in range(20):
            ctx.progress(f"{step} of 20")
            await asyncio.sleep(0.1)
        return Named(name=request.name)

    async def stubborn(self, request: Named, ctx: Context) -> Named:
        """Swallow the cancel and complete all the same."""
        del ctx
        self.board.seen(request.name).set()
        try:
            await self.board.gates[request.name].wait()
        except asyncio.CancelledError:
            self.board.cancelled.append(request.name)
        return Named(name=request.name)

    async def slow_to_stop(self, request: Named, ctx: Context) -> Named:
        """Take a second to clean up after a cancel."""
        del ctx
        self.board.seen(request.name).set()
        try:
            await self.board.gates[request.name].wait()
        finally:
            await asyncio.sleep(1)
            self.board.calls.append(f"{request.name} stopped")
        return Named(name=request.name)

    async def sized(self, request: Sized, ctx: Context) -> Sized:
        """Give so much text, and tell how much was given."""
        del ctx
        self.board.calls.append(f"{request.name} {len(request.text)}")
        return Sized(name=request.name, text="x" * request.characters)

    async def pay(self, request: Failing, ctx: Context) -> Named:
        """Have an effect that must happen once; fail before it so many times."""
        self.board.attempts[request.name] += 1
        self.board.calls.append(ctx.effect_key)
        if self.board.attempts[request.name] <= request.times:
            raise error_class(request.code)("not yet")
        self.board.effects.append(ctx.effect_key)
        return Named(name=request.name)


def lab_units(board: Board) -> Domain:
    """Make the units that write on ``board``."""
    units = LabUnits(board)
    lab = Domain("lab")
    for body in (
        units.echo,
        units.meet,
        units.crowd,
        units.fail,
        units.break_,
        units.raise_,
        units.leave,
        units.forget,
        units.give_up,
        units.nan,
        units.hang,
        units.lively,
        units.stubborn,
        units.slow_to_stop,
        units.sized,
    ):
        lab.query(retry=QUICK)(body)
    lab.command(idempotent=False, retry=QUICK)(units.pay)
    return lab
