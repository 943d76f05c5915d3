"""Feed the checker whatever bytes a fuzzer comes upon: a diagnosis or a plan, never a crash.

    python tests/fuzz/checker.py CORPUS [options of libFuzzer]

Coverage of ``aima.dsl`` guides the mutations; a folder of workflows is a good corpus to start
from. What breaks it is written to a file `crash-…` or `timeout-…`, which given instead of the
corpus is tried again.
"""

from __future__ import annotations

import json
import sys

import atheris

with atheris.instrument_imports(include=["aima.dsl", "aima.workflows"]):
    from aima.catalog import discover
    from aima.dsl.render import render_text
    from aima.gateway.workflows.definitions import Definitions
    from aima.workflows.run import Program

DEFINITIONS = Definitions(discover())


def check_any(data: bytes) -> None:
    """Check, show and, where nothing is wrong, compile; the interpreter reads the plan."""
    checked = DEFINITIONS.check(data, "w.yaml")
    render_text(checked.diagnostics, [checked.source], colour=True)
    if checked.ok:
        Program(json.loads(DEFINITIONS.plan(checked).text))


if __name__ == "__main__":
    sys.setrecursionlimit(1000)  # as it is for everybody
    atheris.Setup(sys.argv, check_any)
    atheris.Fuzz()
