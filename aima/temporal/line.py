"""Who holds the slots of a concurrency key, and who waits for one, first come first served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

OnConflict: TypeAlias = Literal["queue", "reject", "cancel_running"]
Answer: TypeAlias = Literal["granted", "queued", "rejected"]


@dataclass(frozen=True)
class Claim:
    """What a run asks for.

    Attributes:
        run: the run's id.
        limit: how many runs may hold the key at once, as this one's workflow has it.
        on_conflict: what to do where there are as many already.
    """

    run: str
    limit: int
    on_conflict: OnConflict


@dataclass
class Line:
    """The holders, in the order in which they became it, and the queue behind them.

    Workflows that share a key may state different limits: each run goes in as soon as fewer than
    its own limit are in. Nobody overtakes, also not past a run that wants to be more alone.
    """

    holders: list[str] = field(default_factory=list)
    queue: list[Claim] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nobody holds anything and nobody waits."""
        return not self.holders and not self.queue

    def knows(self, run: str) -> bool:
        """Tell whether a run holds a slot or waits for one."""
        return run in self.holders or any(claim.run == run for claim in self.queue)

    def has_room(self, limit: int) -> bool:
        """Tell whether a run of this limit could go in now."""
        return not self.queue and len(self.holders) < limit

    def ask(self, claim: Claim) -> tuple[Answer, list[str]]:
        """Answer a run, and name the runs to cancel for it; asking again changes nothing.

        Who comes to cancel stands first. Those to cancel are the holders, and who came to cancel
        before and still waits for their cleanup: it would be a holder but for that, and must not
        run after the newer one. It leaves the queue at once.
        """
        if self.knows(claim.run):
            return ("granted" if claim.run in self.holders else "queued"), []
        if self.has_room(claim.limit):
            self.holders.append(claim.run)
            return "granted", []
        if claim.on_conflict == "reject":
            return "rejected", []
        if claim.on_conflict == "queue":
            self.queue.append(claim)
            return "queued", []
        outdone = [c.run for c in self.queue if c.on_conflict == "cancel_running"]
        self.queue = [claim, *(c for c in self.queue if c.run not in outdone)]
        return "queued", [*self.holders, *outdone]

    def leave(self, run: str) -> None:
        """Take a run out, wherever it stands; one that is not here is no mistake."""
        self.holders = [holder for holder in self.holders if holder != run]
        self.queue = [claim for claim in self.queue if claim.run != run]

    def admit(self) -> str | None:
        """Let the first of the queue in, if there is room for it, and name it."""
        if not self.queue or len(self.holders) >= self.queue[0].limit:
            return None
        self.holders.append(self.queue.pop(0).run)
        return self.holders[-1]
