"""One case: a workflow, what goes wrong, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml
from temporalio.api.common.v1 import Payload

from aima.dsl.json import Json
from aima.workflows.interpreter import Interpreter
from tests.simulation.execution import Execution
from tests.simulation.faults import Faults
from tests.simulation.instance import CONVERTER
from tests.simulation.server import Server
from tests.simulation.units import Shelf, Written, compiled

RUN = "run"
NOTHING = Faults()


@dataclass(frozen=True)
class Case:
    """A workflow, the others that it runs, its input, and what goes wrong."""

    workflow: Written
    faults: Faults = NOTHING
    input: Json = field(default_factory=dict)
    others: Mapping[str, Written] = field(default_factory=dict)

    def but(self, **faults: Any) -> Case:  # noqa: ANN401 - as in Faults
        """Give the same with other faults."""
        return replace(self, faults=replace(self.faults, **faults))

    def __str__(self) -> str:
        """Write it as one would type it."""
        files = {"the workflow": self.workflow, **self.others}
        written = (f"# {k}\n{yaml.safe_dump(v, sort_keys=False)}" for k, v in files.items())
        return "\n".join((*written, repr(self.faults)))


@dataclass(frozen=True)
class Ended:
    """What came of a case.

    Attributes:
        state: what the run knew in the end.
        last: the last of its histories.
    """

    case: Case
    plan: dict[str, Any]
    server: Server
    last: Execution
    state: dict[str, Any]

    @property
    def how(self) -> str:
        """How the run ended; empty where it did not."""
        return self.last.closed

    @property
    def output(self) -> Json:
        """What a completed run gave."""
        assert self.last.last is not None
        result = self.last.last.complete_workflow_execution.result
        output: Json = CONVERTER.from_payload(result)
        return output

    @property
    def details(self) -> dict[str, Any]:
        """What a failed run tells of its failure."""
        assert self.last.last is not None
        info = self.last.last.fail_workflow_execution.failure.application_failure_info
        told: dict[str, Any] = CONVERTER.from_payload(info.details.payloads[0])
        return told


def play(case: Case, definition: type = Interpreter) -> Ended:
    """Run a case until nothing happens any more; each history is replayed in the end.

    Raises:
        Refused: the checker does not take the workflow.
        NeverEnds: the run goes on and on.
        TaskFailed, OtherCommands: it would hang.
    """
    plan = compiled(case.workflow, Shelf(case.others)).plan
    as_is: Payload = CONVERTER.to_payload(None)
    as_is.metadata["encoding"] = b"json/plain"
    as_is.data = plan.text.encode()
    server = Server(definition, case.faults)
    request = CONVERTER.to_payload({"input": case.input, "config": {}})
    try:
        last = server.run(RUN, [request, as_is])
        state = last.state()
        last.replay()
        return Ended(case, plan.data, server, last, state)
    finally:
        server.close()
