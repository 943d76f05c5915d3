"""A Temporal server and its workers in memory: seeded, with time that passes when nothing happens.

It keeps what a workflow can notice of the real ones: events come in order and several at once,
an answer may be lost, a worker may forget a workflow or die in the middle of a task, and what a
workflow commands is done only once its task has been accepted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.simulation import jobs
from tests.simulation.activities import Sink
from tests.simulation.execution import Execution
from tests.simulation.faults import Dice, Faults
from tests.simulation.instance import CONVERTER, Identity
from tests.simulation.seen import Seen

MOST_TASKS = 4_000
"""Workflow tasks after which a run is taken for endless."""


class NeverEnds(Exception):
    """A run goes on and on."""


@dataclass
class Server:
    """All that is simulated, and when what happens next.

    Attributes:
        definition: the workflow that runs everything.
        now: seconds since the beginning.
        latest: the history of each workflow that is, or was, the last of its chain.
        seen: what happened.
        turns: how many activations there were.
    """

    definition: type
    faults: Faults
    now: float = 0.0
    sink: Sink = field(default_factory=Sink)
    latest: dict[str, Execution] = field(default_factory=dict)
    all: list[Execution] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    turns: int = 0
    tasks: int = 0
    histories: int = 0

    def __post_init__(self) -> None:
        """Throw the dice for the first time."""
        self.dice = Dice(self.faults.seed)
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._number = count()

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        """Let something happen in a while."""
        heapq.heappush(self._agenda, (self.now + seconds, next(self._number), do))

    def run(self, workflow: str, arguments: list[Payload]) -> Execution:
        """Run a workflow until nothing happens any more; give the last of its histories.

        Raises:
            NeverEnds: it goes on and on.
            TaskFailed, OtherCommands: it would hang.
        """
        self.start(Identity(workflow, self.next_run_id(), "run-1"), arguments, None)
        for letter in self.faults.letters:
            for again in range(letter.times):
                self.at(letter.after + again, lambda sent=letter: self._post(workflow, sent))  # type: ignore[misc]
        if self.faults.cancel is not None:
            for after in (self.faults.cancel, self.faults.cancel + 0.3):
                self.at(after, lambda: self.cancel(workflow))
        while self._agenda:
            if self.latest[workflow].closed and not self._open():
                break
            self.now, _, do = heapq.heappop(self._agenda)
            do()
            if self.tasks > MOST_TASKS:
                raise NeverEnds(f"more than {MOST_TASKS} workflow tasks")
        return self.latest[workflow]

    def close(self) -> None:
        """Take everything out of the workers' memory."""
        for execution in self.all:
            execution.forget()

    def next_run_id(self) -> str:
        """Name a history."""
        self.histories += 1
        return f"run-{self.histories}"

    def start(
        self, identity: Identity, arguments: list[Payload], parent: tuple[Execution, int] | None
    ) -> Execution:
        """Begin a history."""
        execution = Execution(self, identity, arguments, parent)
        self.latest[identity.id] = execution
        self.all.append(execution)
        execution.begin()
        return execution

    def tell(self, workflow: str, job: WorkflowActivationJob) -> bool:
        """Give a job to a workflow; tell whether it is open."""
        execution = self.latest.get(workflow)
        if execution is None or execution.closed:
            return False
        execution.tell(job)
        return True

    def cancel(self, workflow: str) -> None:
        """Ask a workflow to stop; a history hears of it once."""
        execution = self.latest.get(workflow)
        if execution is not None and not execution.closed and not execution.cancel_requested:
            execution.cancel_requested = True
            execution.tell(jobs.cancel())

    def terminate(self, workflow: str) -> None:
        """End a workflow without asking it."""
        self.latest[workflow].terminate()

    def note(self, kind: str, workflow: str, **more: Any) -> None:  # noqa: ANN401 - as in Seen
        """Note that something happened."""
        self.seen.append(Seen(kind, workflow, turn=self.turns, **more))

    def acquire(self, execution: Execution, given: dict[str, Any]) -> str:
        """Grant a slot of a concurrency key now or later, or refuse it."""
        self.note("acquired", execution.identity.id, path=str(given["key"]))
        if self.faults.calm or self.dice.happens(50):
            return "granted"
        if given["on_conflict"] == "reject":
            return "rejected"
        job = jobs.signal("aima.granted", [given["key"]])
        self.at(self.dice.seconds(20), lambda: self.tell(execution.identity.id, job))
        return "queued"

    def events_for(self, given: dict[str, Any]) -> list[Any]:
        """Give the events that came before a step listened."""
        told: list[Any] = [e.value for e in self.faults.letters if e.name == "aima.event"]
        return [event for step, event in told if step == given["step"] and self.dice.happens(50)]

    def signal(self, execution: Execution, command: WorkflowCommand) -> None:
        """Send what one workflow signals to another."""
        said = command.signal_external_workflow_execution
        child = said.child_workflow_id
        target = child or said.workflow_execution.workflow_id
        if target.startswith("aima-slots:"):
            self.note("released", execution.identity.id, path=target.partition(":")[2])
            known = not self.dice.happens(20)
        else:
            values = [CONVERTER.from_payload(argument) for argument in said.args]
            known = self.tell(target, jobs.signal(said.signal_name, values))
        answer = jobs.signalled(said.seq, known=known)
        self.at(self.dice.seconds(0.1), lambda: self._answer(execution, answer))

    @staticmethod
    def _answer(execution: Execution, job: WorkflowActivationJob) -> None:
        if not execution.closed:
            execution.tell(job)

    def _open(self) -> bool:
        return any(not execution.closed for execution in self.latest.values())

    def _post(self, workflow: str, letter: Any) -> None:  # noqa: ANN401 - a letter
        if letter.update:
            self.tell(
                workflow, jobs.update(f"update-{next(self._number)}", letter.name, letter.value)
            )
        else:
            values = letter.value if letter.name.startswith("aima.") else [letter.value]
            self.tell(workflow, jobs.signal(letter.name, values))
