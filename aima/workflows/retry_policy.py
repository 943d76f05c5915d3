"""A plan's ``retry`` as Temporal's policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from temporalio.common import RetryPolicy

from aima.dsl.duration import parse_duration
from aima.dsl.json import Json
from aima.workflows.frame import Node, Parsed

MOST_ATTEMPTS = 2**31 - 1  # Temporal counts attempts in 32 bits

_AT_ONCE = timedelta(milliseconds=1)  # zero would mean Temporal's own second
_NEVER_RETRIED = ("PayloadsTooLarge",)
"""Codes of Temporal's own that another attempt cannot mend, and that it would retry for ever."""

TIMEOUTS = ("TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat")
"""What Temporal calls a ``TIMEOUT`` that it noticed itself, where errors are named."""


def retry_policy(node: Node, said: dict[str, Json]) -> RetryPolicy:
    """Make the policy of a step from its evaluated ``retry``; no attempts at all means no bound.

    A literal one, known by being the plan's own, is made once for all runs of the plan.

    Raises:
        StepFailed: something in it is not what it must be.
    """
    if said is not node.data.get("retry"):
        return _policy(node, said)
    if node.policy is None:
        node.policy = _policy(node, said)
    return node.policy


def _policy(node: Node, said: dict[str, Json]) -> RetryPolicy:
    def read(key: str, parse: Callable[[Json], Parsed]) -> Parsed:
        return node.read(parse, said[key], f"retry.{key}")

    delay = max(read("delay", parse_duration), _AT_ONCE)
    codes = read("non_retryable", _codes)
    return RetryPolicy(
        maximum_attempts=read("max_attempts", _count),
        initial_interval=delay,
        backoff_coefficient=read("backoff", _factor),
        maximum_interval=max(read("max_delay", parse_duration), delay),
        non_retryable_error_types=[
            *_NEVER_RETRIED,
            *codes,
            *(TIMEOUTS if "TIMEOUT" in codes else ()),
        ],
    )


def _count(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_ATTEMPTS:
        return value
    raise ValueError(f"{value!r} is no whole number of at least 1")


def _factor(value: Json) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1:
        return float(value)
    raise ValueError(f"{value!r} is no number of at least 1")


def _codes(value: Json) -> list[str]:
    if isinstance(value, list) and all(isinstance(code, str) for code in value):
        return cast("list[str]", value)
    raise ValueError("this is no list of error codes")
