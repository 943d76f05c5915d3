"""One history: the jobs that wait for it, its workflow tasks, and what it has in flight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.activity_result import ActivityResolution
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from aima.workflows.interpreter import STATE
from tests.simulation import jobs
from tests.simulation.activities import Activity
from tests.simulation.instance import CONVERTER, Identity, Instance, Turn, begin, moment
from tests.simulation.task import ENDS, Task

if TYPE_CHECKING:
    from tests.simulation.server import Server


class Execution:
    """A history of a workflow, and the worker that has it in its memory."""

    def __init__(
        self,
        server: Server,
        identity: Identity,
        arguments: list[Payload],
        parent: tuple[Execution, int] | None,
    ) -> None:
        """Take what it was started with; ``parent`` is whom to tell of its end, and as what."""
        self.server = server
        self.identity = identity
        self.arguments = arguments
        self.parent = parent
        self.closed = ""
        self.last: WorkflowCommand | None = None
        self.cancel_requested = False
        self.was_told = False
        self.in_time = False
        self.activities: dict[int, Activity] = {}
        self.paths: dict[int, str] = {}
        self.children: dict[int, str] = {}
        self._timers: set[int] = set()
        self._waiting: list[WorkflowActivationJob] = []
        self._due = False
        self._turns: list[Turn] = []
        self._events = 1
        self._started = server.now
        self._instance: Instance | None = None

    def begin(self) -> None:
        """Schedule the first task."""
        self.tell(begin(self.identity, self.arguments))

    def tell(self, job: WorkflowActivationJob) -> None:
        """Let a job wait for the next task."""
        self._waiting.append(job)
        if not self._due:
            self._due = True
            dice = self.server.dice
            slow = dice.happens(self.server.faults.slow)
            self.server.at(dice.seconds(60 if slow else 0.05), self._task)

    def state(self) -> dict[str, Any]:
        """Ask the workflow for all that it knows."""
        instance = self.awake()
        turn = instance.activate(self.activation([jobs.query(STATE)]))
        answer = turn.commands[0].respond_to_query
        assert answer.HasField("succeeded"), answer
        state: dict[str, Any] = CONVERTER.from_payload(answer.succeeded.response)
        return state

    def forget(self) -> None:
        """Take it out of the worker's memory."""
        if self._instance is not None:
            self._instance.evict()
            self._instance = None

    def replay(self) -> None:
        """Go through the history again, in a new instance."""
        self.forget()
        self.awake()

    def terminate(self) -> None:
        """End it without asking it."""
        self._close("terminated", None)

    def awake(self) -> Instance:
        """Give the instance, made anew from the history where it was forgotten."""
        if self._instance is None:
            self._instance = Instance(self.server.definition, self.identity, self._started)
            self._instance.replay(self._turns)
        return self._instance

    def activation(self, given: list[WorkflowActivationJob]) -> WorkflowActivation:
        """Say jobs as Temporal's core says them, with the time and the length of the history."""
        most = self.server.faults.events
        activation = WorkflowActivation(
            run_id=self.identity.run_id,
            history_length=self._events,
            continue_as_new_suggested=bool(most) and self._events >= most,
            jobs=given,
        )
        activation.timestamp.FromDatetime(moment(self.server.now))
        return activation

    def _task(self) -> None:
        """Let the workflow think about all that waits, and do what it commands."""
        if self.closed:
            return
        server = self.server
        server.tasks += 1
        task = Task(self, list(self._waiting))
        if server.dice.happens(server.faults.lost):
            task.run()
            self.forget()
            server.at(server.dice.seconds(10), self._task)
            return
        self._due, self._waiting = False, []
        self._events += 3 + len(task.given)
        task.run()
        self._turns += task.turns
        self.was_told = self.was_told or task.tells_of_a_cancel
        self.in_time = self.in_time or (task.tells_of_a_cancel and not task.ends_first)
        task.tell_seen()
        self._events += len(task.commands)
        for command in task.commands:
            self._obey(command)
        if server.dice.happens(server.faults.evicted):
            self.forget()

    def _obey(self, command: WorkflowCommand) -> None:
        kind = str(command.WhichOneof("variant"))
        if kind in ENDS:
            self._close(ENDS[kind], command)
        elif kind not in ("modify_workflow_properties", "update_response"):
            _OBEYED[kind](self, command)

    def _start_activity(self, command: WorkflowCommand) -> None:
        activity = Activity(self.server, self, command.schedule_activity, self._activity_ended)
        self.activities[activity.seq] = activity
        activity.start()

    def _cancel_activity(self, command: WorkflowCommand) -> None:
        if found := self.activities.get(command.request_cancel_activity.seq):
            found.cancel()

    def _cancel_timer(self, command: WorkflowCommand) -> None:
        self._timers.discard(command.cancel_timer.seq)

    def _cancel_child(self, command: WorkflowCommand) -> None:
        server = self.server
        seq = command.cancel_child_workflow_execution.child_workflow_seq
        if child := self.children.get(seq):
            server.at(server.dice.seconds(0.1), lambda: server.cancel(child))

    def _signal(self, command: WorkflowCommand) -> None:
        self.server.signal(self, command)

    def _cancel_other(self, command: WorkflowCommand) -> None:
        said, server = command.request_cancel_external_workflow_execution, self.server
        target = said.workflow_execution.workflow_id

        def ask() -> None:
            known = target in server.latest and not server.latest[target].closed
            server.cancel(target)
            self._answer(jobs.other_cancelled(said.seq, known=known))

        server.at(server.dice.seconds(0.1), ask)

    def _start_timer(self, command: WorkflowCommand) -> None:
        seq = command.start_timer.seq
        seconds = command.start_timer.start_to_fire_timeout.ToTimedelta().total_seconds()
        self._timers.add(seq)

        def fire() -> None:
            if seq in self._timers and not self.closed:
                self._timers.remove(seq)
                self.tell(jobs.timer(seq))

        self.server.at(max(seconds, 0.001), fire)

    def _start_child(self, command: WorkflowCommand) -> None:
        said, server = command.start_child_workflow_execution, self.server
        seq, name = said.seq, said.workflow_id
        if server.dice.happens(server.faults.child):
            server.at(0.01, lambda: self._answer(jobs.child_refused(seq, name)))
            return
        self.children[seq] = name

        def start() -> None:
            run_id = server.next_run_id()
            identity = Identity(name, run_id, run_id, parent=self.identity.id)
            child = server.start(identity, list(said.input), (self, seq))
            self._answer(jobs.child_started(seq, run_id))
            if server.dice.happens(server.faults.child):
                server.at(server.dice.seconds(3), partial(server.terminate, name))
            if self.closed:
                server.cancel(child.identity.id)

        server.at(server.dice.seconds(0.05), start)

    def _answer(self, job: WorkflowActivationJob) -> None:
        if not self.closed:
            self.tell(job)

    def _activity_ended(self, activity: Activity, resolution: ActivityResolution) -> None:
        self.activities.pop(activity.seq, None)
        self._answer(jobs.activity_ended(activity.seq, resolution))

    def _close(self, how: str, command: WorkflowCommand | None) -> None:
        server, identity = self.server, self.identity
        if self.closed:
            if how == "terminated":
                return
            raise AssertionError(f"{identity.id} ended twice: {self.closed}, then {how}")
        self.closed, self.last = how, command
        server.note("closed", identity.id, said=how)
        for activity in self.activities.values():
            if activity.unit != "aima.cancel":  # it asks for this very end
                server.note("in flight", identity.id, path=activity.path, said=how)
            activity.abandon()
        for child in self.children.values():
            server.note("in flight", identity.id, path=child, said=how)
            server.cancel(child)
        if how == "continued" and command is not None:
            arguments = list(command.continue_as_new_workflow_execution.arguments)
            following = replace(identity, run_id=server.next_run_id())
            successor = server.start(following, arguments, self.parent)
            successor.was_told, successor.in_time = self.was_told, self.in_time
        elif self.parent is not None:
            self.parent[0].child_ended(self.parent[1], identity.id, command)

    def child_ended(self, seq: int, workflow: str, last: WorkflowCommand | None) -> None:
        """Hear that a child has closed."""
        self.children.pop(seq, None)
        self._answer(jobs.child_ended(seq, workflow, last))


_OBEYED: dict[str, Callable[[Execution, WorkflowCommand], None]] = {
    "schedule_activity": Execution._start_activity,
    "request_cancel_activity": Execution._cancel_activity,
    "start_timer": Execution._start_timer,
    "cancel_timer": Execution._cancel_timer,
    "start_child_workflow_execution": Execution._start_child,
    "cancel_child_workflow_execution": Execution._cancel_child,
    "signal_external_workflow_execution": Execution._signal,
    "request_cancel_external_workflow_execution": Execution._cancel_other,
}
