"""Every domain of the catalogue has the resources that users of the earlier system know."""

from __future__ import annotations

import pytest

from activities.engine import engine, get, list_, load
from aima.catalog import catalog_of
from aima.gateway.access.permission import Permission
from aima.gateway.units.installed import units_of
from aima.resources.registry import Resources
from aima.settings import Settings
from tests.door import door_in

CATALOGUE = {
    "asms://device/{id}/info": "device.info",
    "asms://device/{id}/metrics": "device.metrics",
    "asms://device/{id}/health": "device.health",
    "asms://model/{id}": "",
    "asms://models/registry": "",
    "asms://models/compatibility": "",
    "asms://engine/{name}": "engine.get",
    "asms://engines/status": "engine.list",
    "asms://inference/models": "inference.models",
    "asms://resource/status": "resource.status",
    "asms://resource/budget": "resource.budget",
    "asms://resource/allocations": "resource.allocations",
    "asms://service/{id}": "service.get",
    "asms://services": "service.list",
    "asms://app/{id}": "app.get",
    "asms://apps/templates": "app.templates",
    "asms://pipeline/{id}": "",
    "asms://pipelines": "",
    "asms://alerts/rules": "alert.list_rules",
    "asms://alerts/active": "alert.active",
    "asms://remote/status": "remote.status",
    "asms://remote/audit": "remote.audit",
    "asms://fleet/devices": "fleet.devices",
    "asms://fleet/device/{id}": "fleet.devices",
    "asms://fleet/tasks": "fleet.tasks",
}
"""The addresses, never renamed, each with the query whose domain it belongs to. Models and
workflows are there without a query: the folder of models and Temporal know them."""

CATALOG = units_of(Settings())


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Those of the door that `aima up` serves."""
    return door_in(tmp_path_factory.mktemp("door")).resources


def test_a_query_that_exists_is_shown_under_its_address(resources: Resources) -> None:
    """A domain that arrives without its resources would be half a domain."""
    wanted = {uri for uri, query in CATALOGUE.items() if not query or query in CATALOG.units}
    there = {resource.uri for resource in resources.all()}
    assert wanted <= there
    assert there <= set(CATALOGUE), "an address that is not in the catalogue: add it above"


def test_each_resource_has_a_title_and_a_permission(resources: Resources) -> None:
    """Deny by default: what says nothing could be read by nobody, and is found here."""
    for resource in resources.all():
        assert resource.title
        assert Permission(resource.permission) is not Permission.PUBLIC
        if resource.members is not None:
            found, _, values = resources.find(
                resource.members.uri.replace("{", "").replace("}", "")
            )
            assert len(values) == 1
            assert found.permission == resource.permission


def test_what_a_domain_declares_wrongly_is_told_at_its_start() -> None:
    """Not by the first reader."""
    for uri, query, message in (
        ("asms://engine/{name}/loaded", load, "must show a query"),
        ("asms://engine/{id}", get, "must be what 'engine.get' asks for"),
        ("asms://engines", get, "must be what 'engine.get' asks for"),
        ("asms://engines/status", list_, "must be what 'engine.list' asks for"),
    ):
        with pytest.raises(TypeError, match=message):
            engine.resource(uri, query, "x")
    assert "asms://engine/{id}" not in catalog_of(engine).resources
