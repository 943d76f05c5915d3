"""Every event of the catalogue whose domain is here is told, streamed, and starts workflows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aima import engine_events, observing
from aima.gateway.events.feed import EventFeed
from aima.gateway.units.installed import units_of
from aima.gateway.workflows.definitions import Definitions
from aima.settings import Settings
from aima.store import open_store
from aima.store.events import CloudEvent
from aima.temporal import run_events
from aima.temporal.triggers import event_triggers

CATALOGUE = {
    "device": "detected health_changed metrics_alert",
    "model": "created deleted pull_progress verified",
    "engine": "started stopped error health_changed start_progress",
    "inference": "request_started request_completed request_failed",
    "resource": "allocated released pressure_warning preemption",
    "service": "created scaled failed",
    "app": "installed started stopped oom_detected",
    "pipeline": "started step_completed completed failed",
    "alert": "triggered acknowledged resolved",
    "remote": "enabled disabled command_executed",
    "fleet": "device_registered device_offline device_online task_completed",
}
"""What users of the earlier system know, never renamed."""

WHO_TELLS = {"resource": "resource.allocate"}
"""Domains of which a part is here: the unit without which there is nothing to tell."""

WORKFLOW = """
name: on-event
triggers: [{event: {type: TYPE}}]
steps: [{id: a, wait: 1s}]
"""

CATALOG = units_of(Settings())
DEFINITIONS = Definitions(CATALOG)
TOLD = {
    *observing.TYPES,
    *run_events.TYPES,
    *(event.TYPE for event in engine_events.TOLD),
    *(event.TYPE for unit in CATALOG for event in unit.emits),
}


def _wanted() -> Iterator[str]:
    """Name the events of the domains that are here; models and runs are there without units."""
    here = {unit.name.partition(".")[0] for unit in CATALOG} | {"model", "pipeline"}
    for domain, kinds in CATALOGUE.items():
        if domain in here and WHO_TELLS.get(domain, "") in ("", *CATALOG.units):
            yield from (f"{domain}.{kind}" for kind in kinds.split())


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> EventFeed:
    """The events of a store that has one of each kind."""
    file = tmp_path_factory.mktemp("events") / "aima.db"
    with open_store(file) as opened:
        opened.events.publish(*(CloudEvent(kind, kind, "aima/test/1") for kind in sorted(TOLD)))
    return EventFeed(lambda: open_store(file))


def test_no_domain_arrives_without_its_events() -> None:
    """Nor is one told under a name of its own."""
    assert set(_wanted()) <= TOLD
    known = {f"{domain}.{kind}" for domain, kinds in CATALOGUE.items() for kind in kinds.split()}
    assert known >= {kind for kind in TOLD if kind.partition(".")[0] in CATALOGUE}


@pytest.mark.parametrize("kind", sorted(TOLD))
async def test_an_event_is_streamed_and_starts_a_workflow(feed: EventFeed, kind: str) -> None:
    """By its type, and by how its type begins."""
    domain = kind.partition(".")[0]
    [entry] = (await feed.page(0, types=[kind], limit=9)).entries
    assert entry.to_json()["type"] == kind
    for wanted in (kind, f"{domain}.*"):
        checked = DEFINITIONS.check(WORKFLOW.replace("TYPE", wanted), "on-event.yaml")
        assert checked.ok, checked.diagnostics
        [trigger] = event_triggers(DEFINITIONS.plan(checked).text)
        assert trigger.wants(entry.event)
