"""`/metrics`: what the door, the workers, Temporal and the engines count, in Prometheus' format."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue, TaskQueueStats
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from aima import __version__
from aima.blocking import in_thread
from aima.errors import AimaError
from aima.gateway.about import About
from aima.gateway.access.permission import Permission
from aima.gateway.events.feed import EventFeed
from aima.gateway.request_meter import RequestMeter
from aima.gateway.route import Way
from aima.ports.engine_lifecycle import EngineMetrics, Measured
from aima.resources.registry import Resources
from aima.routing.router import Router
from aima.temporal.attributes import PLAN
from aima.temporal.dispatcher import READER
from aima.temporal.runs import Runs

if TYPE_CHECKING:
    from prometheus_client import Metric

    from aima.store.database import Store

ANSWER_SECONDS = 2.0
"""How long Temporal or an engine may take to tell; who takes longer is left out this time."""

_GAUGES = ("requests_running", "requests_waiting", "kv_cache_usage_ratio")
_COUNTERS = ("prompt_tokens", "generation_tokens", "preemptions", "requests_succeeded")
_QUEUES = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


@dataclass(frozen=True)
class Metrics:
    """Gives all counts.

    Attributes:
        permission: what a caller must be allowed; nothing where only loopback is listened at.
        shared: the folder with the counts of the workers.
        awake: tells whether an engine runs that would be started by a question.
    """

    permission: Permission
    meter: RequestMeter
    shared: Path
    runs: Runs
    engines: Router
    store: Callable[[], AbstractContextManager[Store]]
    resources: Resources
    events: EventFeed
    awake: Callable[[str], bool]

    def ways(self) -> list[Way]:
        """Give the address."""
        told = About(gives=("text/plain", "application/openmetrics-text"))
        return [Way("GET", "/metrics", self.get, self.permission, about=told)]

    async def get(self, request: Request) -> Response:
        """Give what is counted, in Prometheus' text format or, if asked for, OpenMetrics."""
        from prometheus_client.exposition import choose_encoder

        looked_at = await asyncio.gather(
            self._runs_by_state(), self._queues(), self._events(), self._counted()
        )
        families = [family for found in looked_at for family in found]
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        everything: Any = _Everything(self, [*families, *self._here()])
        return Response(await in_thread(encode, everything), media_type=media_type)

    def _here(self) -> list[Metric]:
        watchers = {"resource": self.resources.watchers, "event": self.events.readers}
        bound = self.runs.bound
        return [
            _gauge("aima_build_info", "This AIMA.", {__version__: 1.0}, "version"),
            _gauge(
                "aima_stream_watchers",
                "Who watches resources or events now.",
                {kind: float(count) for kind, count in watchers.items()},
                "kind",
            ),
            _counter(
                "aima_runs_refused",
                "Runs that were not started, as too many were open.",
                {"": float(bound.refused)} if bound else {},
            ),
        ]

    async def _runs_by_state(self) -> list[Metric]:
        wanted = f"{PLAN} IS NOT NULL GROUP BY ExecutionStatus"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                counted = await self.runs.client.count_workflows(wanted)
        except (RPCError, TimeoutError):
            return []
        by_state = {_snake(str(g.group_values[0])): float(g.count) for g in counted.groups}
        return [_gauge("aima_runs", "Runs that Temporal keeps, by state.", by_state, "state")]

    async def _queues(self) -> list[Metric]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                waiting = [await self._backlog(kind) for kind in _QUEUES.values()]
        except (RPCError, TimeoutError):
            return []
        many = {
            k: float(b.approximate_backlog_count) for k, b in zip(_QUEUES, waiting, strict=True)
        }
        ages = [b.approximate_backlog_age.ToTimedelta().total_seconds() for b in waiting]
        what, age = "Tasks that wait for a worker, about.", "How long the first of them has waited."
        return [
            _gauge("aima_queue_backlog", what, many, "kind"),
            _gauge("aima_queue_age_seconds", age, dict(zip(_QUEUES, ages, strict=True)), "kind"),
        ]

    async def _backlog(self, kind: TaskQueueType.ValueType) -> TaskQueueStats:
        client = self.runs.client
        asked = DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=self.runs.task_queue),
            task_queue_type=kind,
            report_stats=True,
        )
        told = await client.workflow_service.describe_task_queue(asked)
        return told.stats

    async def _events(self) -> list[Metric]:
        try:
            newest, waiting = await in_thread(self._outbox)
        except AimaError:  # its disk is full, say: all else is told
            return []
        return [
            _counter("aima_events", "Events written into the outbox.", {"": float(newest)}),
            _gauge("aima_events_waiting", "Events not passed on yet.", {"": float(waiting)}),
        ]

    def _outbox(self) -> tuple[int, int]:
        with self.store() as store:
            _, newest = store.events.bounds()
            return newest, max(newest - store.events.cursor(READER), 0)

    async def _counted(self) -> list[Metric]:
        """Give the counts of engines under AIMA's names; none is started for that."""
        asked: dict[str, Measured] = {}
        for name, instance in self.engines.instances.items():
            if isinstance(engine := instance.engine, Measured) and self.awake(name):
                asked[name] = engine
        told = await asyncio.gather(*map(_counts, asked.values()))
        found = dict(zip(asked, told, strict=True))
        up = {name: float(counts is not None) for name, counts in found.items()}
        families = [
            _gauge("aima_engine_up", "Whether an engine that counts answers.", up, "engine")
        ]
        for make, names in ((_gauge, _GAUGES), (_counter, _COUNTERS)):
            for name in names:
                values = {engine: getattr(c, name, None) for engine, c in found.items()}
                known = {engine: v for engine, v in values.items() if v is not None}
                meaning = f"What engines tell of their {name.replace('_', ' ')}."
                families.append(make(f"aima_engine_{name}", meaning, known, "engine"))
        return families

    def shared_counts(self) -> Iterator[Metric]:
        """Give what the workers count."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        if self.shared.is_dir():
            registry, folder = CollectorRegistry(), str(self.shared)
            collector: Any = MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call] # theirs
            yield from collector.collect()


@dataclass(frozen=True)
class _Everything:
    """All counts as one collector."""

    metrics: Metrics
    families: Iterable[Metric]

    def collect(self) -> Iterator[Metric]:
        """Give them."""
        yield from self.metrics.meter.registry.collect()
        yield from self.metrics.shared_counts()
        yield from self.families


async def _counts(engine: Measured) -> EngineMetrics | None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await engine.metrics()
    except (AimaError, TimeoutError):
        return None


def _gauge(name: str, meaning: str, values: Mapping[str, float], label: str = "") -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, meaning, labels=[label] if label else [])
    for given, value in values.items():
        family.add_metric([given] if label else [], value)
    return family


def _counter(name: str, meaning: str, values: Mapping[str, float], label: str = "") -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, meaning, labels=[label] if label else [])
    for given, value in values.items():
        family.add_metric([given] if label else [], value)
    return family


def _snake(state: str) -> str:
    """Write a state of Temporal's as AIMA does: `TimedOut` is `timed_out`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in state).lstrip("_")
