"""One workflow task: what a worker does between hearing from the server and answering it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import (
    ScheduleActivity,
    ScheduleLocalActivity,
    WorkflowCommand,
)

from tests.simulation import jobs
from tests.simulation.activities import Activity, cancelled
from tests.simulation.instance import Turn
from tests.simulation.seen import Seen

if TYPE_CHECKING:
    from tests.simulation.execution import Execution

ENDS = {
    "complete_workflow_execution": "completed",
    "fail_workflow_execution": "failed",
    "cancel_workflow_execution": "canceled",
    "continue_as_new_workflow_execution": "continued",
}
"""The commands that end a history, and what it is then."""


class Task:
    """One workflow task: activations until nothing is left that a worker can answer itself.

    What the workflow takes back before the server heard of it never happens; local activities
    run to their end inside the task.
    """

    def __init__(self, execution: Execution, given: list[WorkflowActivationJob]) -> None:
        """Take the jobs that begin it."""
        self.given = given
        self.turns: list[Turn] = []
        self.commands: list[WorkflowCommand] = []
        self._execution = execution
        self._local: list[Activity] = []
        self._next = list(given)
        self._seen: list[Seen] = []

    def run(self) -> None:
        """Run it to its end."""
        execution, server = self._execution, self._execution.server
        instance = execution.awake()
        while self._next:
            given, self._next = self._next, []
            server.turns += 1
            turn = instance.activate(execution.activation(given))
            self._note(given)
            refused = _answered(turn, "rejected") - _answered(turn, "accepted")
            kept = [j for j in given if j.do_update.protocol_instance_id not in refused]
            if kept:  # what only a refused update brought about is in no history
                self.turns.append(Turn(execution.activation(kept), turn.commands, turn.rules))
            for command in turn.commands:
                self._take(command)
            if not self._next and self._local and not self._over():
                activity = self._local.pop(server.dice.below(len(self._local)))
                self._next = [jobs.activity_ended(activity.seq, activity.resolve(), local=True)]

    @property
    def tells_of_a_cancel(self) -> bool:
        """Whether the workflow heard of a cancel."""
        return any(job.HasField("cancel_workflow") for job in self.given)

    @property
    def ends_first(self) -> bool:
        """Whether the workflow may have ended before it heard of the rest.

        The SDK hands it signals and updates first.
        """
        first = any(j.HasField("signal_workflow") or j.HasField("do_update") for j in self.given)
        return first and self._over()

    def tell_seen(self) -> None:
        """Note what the workflow has heard of, now that it counts."""
        self._execution.server.seen += self._seen

    def _note(self, given: list[WorkflowActivationJob]) -> None:
        for job in given:
            if job.HasField("resolve_activity"):
                said = job.resolve_activity
                path = self._execution.paths[said.seq]
                self._see("delivered", path, str(said.result.WhichOneof("status")))

    def _see(self, kind: str, path: str, said: str = "") -> None:
        execution = self._execution
        self._seen.append(Seen(kind, execution.identity.id, path, execution.server.turns, said))

    def _over(self) -> bool:
        return any(c.WhichOneof("variant") in ENDS for c in self.commands)

    def _take(self, command: WorkflowCommand) -> None:
        """Take a command; what cancels a command of the same task takes that one back."""
        kind = str(command.WhichOneof("variant"))
        if kind == "schedule_activity":
            said = command.schedule_activity
            self._execution.paths[said.seq] = said.activity_id
            self._see("scheduled", said.activity_id)
        if kind not in _TAKEN or not _TAKEN[kind](self, command):
            self.commands.append(command)

    def _run_local(self, command: WorkflowCommand) -> bool:
        activity = self._activity(command.schedule_local_activity)
        self._local.append(activity)
        self._execution.paths[activity.seq] = activity.path
        self._see("scheduled", activity.path, "beside")
        return True

    def _cancel_local(self, command: WorkflowCommand) -> bool:
        seq = command.request_cancel_local_activity.seq
        for activity in [a for a in self._local if a.seq == seq]:
            self._local.remove(activity)
            self._next.append(jobs.activity_ended(seq, cancelled(activity), local=True))
        return True

    def _cancel_activity(self, command: WorkflowCommand) -> bool:
        seq = command.request_cancel_activity.seq
        taken = self._take_back("schedule_activity", seq)
        if taken is not None:
            activity = self._activity(taken.schedule_activity)
            self._next.append(jobs.activity_ended(seq, cancelled(activity)))
        return taken is not None

    def _cancel_timer(self, command: WorkflowCommand) -> bool:
        return self._take_back("start_timer", command.cancel_timer.seq) is not None

    def _cancel_child(self, command: WorkflowCommand) -> bool:
        seq = command.cancel_child_workflow_execution.child_workflow_seq
        taken = self._take_back("start_child_workflow_execution", seq)
        if taken is not None:
            name = taken.start_child_workflow_execution.workflow_id
            self._next.append(jobs.child_never_sent(seq, name))
        return taken is not None

    def _activity(self, said: ScheduleActivity | ScheduleLocalActivity) -> Activity:
        return Activity(self._execution.server, self._execution, said, lambda *_: None)

    def _take_back(self, kind: str, seq: int) -> WorkflowCommand | None:
        for command in self.commands:
            if command.WhichOneof("variant") == kind and getattr(command, kind).seq == seq:
                self.commands.remove(command)
                return command
        return None


_TAKEN: dict[str, Callable[[Task, WorkflowCommand], bool]] = {
    "schedule_local_activity": Task._run_local,
    "request_cancel_local_activity": Task._cancel_local,
    "request_cancel_activity": Task._cancel_activity,
    "cancel_timer": Task._cancel_timer,
    "cancel_child_workflow_execution": Task._cancel_child,
}
"""What a worker does itself; each tells whether the server need not hear of it."""


def _answered(turn: Turn, how: Literal["accepted", "rejected"]) -> set[str]:
    """Name the updates that were answered so."""
    answers = [c.update_response for c in turn.commands if c.HasField("update_response")]
    return {answer.protocol_instance_id for answer in answers if answer.HasField(how)}
