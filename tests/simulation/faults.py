"""How badly the simulated world behaves, and the dice that decide what goes wrong when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aima.dsl.json import Json


@dataclass(frozen=True)
class Letter:
    """What somebody sends to the run.

    Attributes:
        after: seconds from its start.
        name: the name of a signal; of an update, where ``update`` says so.
        value: its one argument, or all of them as a list for AIMA's own signals.
        times: how often it is delivered; the sender did not hear that it was.
    """

    after: float
    name: str
    value: Json
    update: bool = False
    times: int = 1


@dataclass(frozen=True)
class Faults:
    """What goes wrong: chances in percent, and what somebody does to the run.

    Attributes:
        seed: of the dice.
        failing: attempts that fail with an error.
        silent: attempts whose worker dies, before the effect or after it.
        hanging: attempts that outlive their timeout; half of them have their effect too late.
        lost: workflow tasks whose worker dies before it could answer.
        evicted: workflow tasks after which the worker forgets the run.
        slow: workflow tasks that wait for a minute, so that much comes at once.
        events: a history of this many events suggests to go on with a new one; zero never does.
        child: children that cannot start, or are terminated.
        cancel: seconds after which somebody cancels the run, twice.
    """

    seed: int = 0
    failing: int = 0
    silent: int = 0
    hanging: int = 0
    lost: int = 0
    evicted: int = 0
    slow: int = 0
    events: int = 0
    child: int = 0
    cancel: float | None = None
    letters: tuple[Letter, ...] = ()

    @property
    def calm(self) -> bool:
        """Whether every attempt ends well and nobody cancels: only workers come and go."""
        unwell = self.failing or self.silent or self.hanging or self.child
        return not unwell and self.cancel is None


class Dice:
    """Chances; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        """Start at a seed."""
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def happens(self, percent: int) -> bool:
        """Tell whether something happens that has this chance."""
        return percent > 0 and self._random.randrange(100) < percent

    def one_of(self, *choices: str) -> str:
        """Choose one."""
        return self._random.choice(choices)

    def below(self, number: int) -> int:
        """Choose a number from zero."""
        return self._random.randrange(number)

    def seconds(self, most: float) -> float:
        """Choose a duration."""
        return self._random.uniform(0.001, most)
