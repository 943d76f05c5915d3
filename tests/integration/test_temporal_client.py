"""Reaching a Temporal server and making it ready."""

import asyncio
from datetime import timedelta
from pathlib import Path
from sysconfig import get_path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment

from aima.errors import InvalidRequest, TemporalUnreachable
from aima.settings import Temporal
from aima.temporal.attributes import LABELS
from aima.temporal.client import (
    connect,
    ensure_search_attributes,
    set_retention,
    wait_for_namespace,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEST_SERVER = str(Path(get_path("scripts")) / "temporal-test-server")


async def namespace(local: Client, name: str) -> Client:
    """Make a namespace and give a client of it."""
    await local.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=_days(1))
    )
    return Client(local.service_client, namespace=name)


def _days(days: int):  # type: ignore[no-untyped-def] # noqa: ANN202 - a protobuf duration
    from google.protobuf.duration_pb2 import Duration

    return Duration(seconds=int(timedelta(days=days).total_seconds()))


async def attributes_of(client: Client) -> list[str]:
    """List the search attributes of a namespace."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return sorted(answer.custom_attributes)


async def test_a_fresh_namespace_gets_aimas_attributes_once(local: Client) -> None:
    """Several workers may start at the same time, and again tomorrow."""
    client = await namespace(local, "fresh")
    await wait_for_namespace(client, seconds=20)
    await asyncio.gather(*(ensure_search_attributes(client) for _ in range(3)))
    found = await attributes_of(client)
    assert {"AimaLabels", "AimaPlan"} <= set(found)


async def test_an_attribute_of_another_type_is_told(local: Client) -> None:
    """Somebody used the name; runs could not be started, and nobody would know why."""
    client = await namespace(local, "taken")
    await _defined_as_text(client, LABELS)
    with pytest.raises(InvalidRequest, match=r"search attribute 'AimaLabels' .* is not a K"):
        await ensure_search_attributes(client)


async def _defined_as_text(client: Client, name: str) -> None:
    """Define a search attribute as text, on a server that is only just making its namespace."""
    wrong = {name: IndexedValueType.INDEXED_VALUE_TYPE_BOOL}
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=wrong)
    async with asyncio.timeout(20):
        while True:
            try:
                await client.operator_service.add_search_attributes(request)
            except Exception:  # noqa: BLE001 - whatever it says while it is not ready
                await asyncio.sleep(0.1)
            else:
                return


async def test_a_namespace_that_is_not_there_is_told_in_time(local: Client) -> None:
    """A typing mistake in `temporal.namespace` must not make a worker wait for ever."""
    client = Client(local.service_client, namespace="mistyped")
    with pytest.raises(TemporalUnreachable, match=r"'mistyped' .* check `temporal.namespace`"):
        await wait_for_namespace(client, seconds=0.5)


async def test_closed_runs_are_kept_as_long_as_said(local: Client) -> None:
    """The dev server's own 24 hours forget yesterday."""
    client = await namespace(local, "kept")
    await wait_for_namespace(client, seconds=20)
    await set_retention(client, days=30)
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="kept")
    )
    kept = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    assert kept == timedelta(days=30)


async def test_the_server_for_tests_is_made_ready_too() -> None:
    """It cannot list search attributes, and refuses those that are not defined."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=TEST_SERVER
    ) as server:
        await ensure_search_attributes(server.client)
        await ensure_search_attributes(server.client)


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    """With the address, and the setting to look at."""
    with pytest.raises(TemporalUnreachable, match=r"127\.0\.0\.1:9.* check `temporal.address`"):
        await connect(Temporal(), "127.0.0.1:9", DataConverter.default)


@pytest.mark.parametrize("address", ["a b:1", ""])
async def test_an_address_that_is_none_is_told(address: str) -> None:
    """Not a stack trace out of another language."""
    with pytest.raises(InvalidRequest, match=r"check `temporal\.address`"):
        await connect(Temporal(), address, DataConverter.default)


async def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """Before anything is sent in the clear."""
    settings = Temporal(tls_ca=tmp_path / "gone.pem")
    with pytest.raises(InvalidRequest, match=r"a TLS file of `temporal` cannot be read.*gone\.pem"):
        await connect(settings, "127.0.0.1:9", DataConverter.default)


async def test_half_a_certificate_is_told(tmp_path: Path) -> None:
    """A certificate without its key, or the reverse."""
    (tmp_path / "cert.pem").write_text("x")
    with pytest.raises(InvalidRequest, match=r"`temporal\.tls_\*`"):
        await connect(
            Temporal(tls_cert=tmp_path / "cert.pem"), "127.0.0.1:9", DataConverter.default
        )
