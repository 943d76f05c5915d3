"""The slots of one concurrency key, as a workflow that all runs of the key ask.

A run asks through the activity ``aima.acquire``, which starts this workflow where there is none,
and tells with the signal ``release`` that it needs its slot no more. A run that was queued gets
the signal ``aima.granted`` with the key when its turn has come.

A run that died blocks nobody. One that waits is found out when it is told of its turn; one that
holds, every ten seconds as long as somebody waits for it, and before anybody is rejected.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from aima.temporal.line import Answer, Claim, Line

SLOTS = "aima.slots"
GRANTED = "aima.granted"
ENDED = "aima.ended"

LOOK_SECONDS = 10.0
"""How often is asked whether the holders still run, while somebody waits."""

IDLE_SECONDS = 60.0
"""How long the workflow stays when nobody holds or wants anything."""

_ENDED_TIMEOUT = timedelta(seconds=30)


def slots_id(key: str) -> str:
    """Give the id of the workflow that has the slots of a key."""
    return f"aima-slots:{key}"


@workflow.defn(name=SLOTS)
class Slots:
    """Lends the slots of one key. Arguments: the key and, where it goes on, the line so far."""

    @workflow.init
    def __init__(self, key: str, line: Line | None = None) -> None:
        """Take over the line, or begin with an empty one."""
        self._key = key
        self._line = line or Line()

    @workflow.run
    async def run(self, key: str, line: Line | None = None) -> None:
        """Serve until nobody has wanted anything for a while; go on anew when much was done."""
        del key, line  # the SDK gives them to ``__init__``, too
        await self._serve()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._line.empty:
            workflow.continue_as_new(args=[self._key, self._line])

    @workflow.update
    async def acquire(self, claim: Claim) -> Answer:
        """Give a run a slot or a place in the queue; the same answer when it asks again."""
        line = self._line
        rejected = claim.on_conflict == "reject" and not line.has_room(claim.limit)
        if rejected and not line.knows(claim.run):
            await self._free_ended()
        answer, victims = line.ask(claim)
        for victim in victims:
            await self._cancel(victim)
        return answer

    @workflow.signal
    async def release(self, run: str) -> None:
        """Take a slot, or a place in the queue, back."""
        self._line.leave(run)
        await self._admit()

    @workflow.query
    def line(self) -> Line:
        """Who holds a slot and who waits, for people: the Temporal UI can ask this."""
        return self._line

    async def _serve(self) -> None:
        """Look after the holders while somebody waits; return when idle or to begin anew."""
        while not workflow.info().is_continue_as_new_suggested():
            if self._line.queue:
                await self._free_ended()
            try:
                await self._rest()
            except TimeoutError:
                if self._line.empty:
                    return

    async def _rest(self) -> None:
        """Do nothing until there is something new to look after, or it is time to look again."""
        before = self._situation()
        waiting, idle, _ = before
        seconds = LOOK_SECONDS if waiting else IDLE_SECONDS if idle else None
        await workflow.wait_condition(lambda: self._situation() != before, timeout=seconds)

    def _situation(self) -> tuple[bool, bool, bool]:
        """Tell whether somebody waits, whether nobody is there, and whether much was done."""
        long = workflow.info().is_continue_as_new_suggested()
        return bool(self._line.queue), self._line.empty, long

    async def _admit(self) -> None:
        """Let in who has waited longest, while there is room, and tell it."""
        while (run := self._line.admit()) is not None:
            try:
                await workflow.get_external_workflow_handle(run).signal(GRANTED, self._key)
            except FailureError:  # it has ended
                self._line.leave(run)

    async def _cancel(self, run: str) -> None:
        """Cancel a run; it gives its slot back when its cleanup is over."""
        try:
            await workflow.get_external_workflow_handle(run).cancel()
        except FailureError:  # it has ended
            self._line.leave(run)
            await self._admit()

    async def _free_ended(self) -> None:
        """Take the slots of runs back that have ended without a word."""
        ended = await workflow.execute_activity(
            ENDED,
            self._line.holders,
            result_type=list[str],
            start_to_close_timeout=_ENDED_TIMEOUT,
        )
        for run in ended:
            self._line.leave(run)
        await self._admit()
