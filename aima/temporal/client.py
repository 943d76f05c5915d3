"""Reaching a Temporal server, and making it ready for AIMA."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client, TLSConfig
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from aima.errors import InvalidRequest, TemporalUnreachable
from aima.settings import Temporal
from aima.temporal.attributes import ATTRIBUTES

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


async def connect(settings: Temporal, address: str, converter: DataConverter) -> Client:
    """Connect to the server at ``address``.

    Raises:
        TemporalUnreachable: nobody answers there, or refuses.
        InvalidRequest: the address, or the certificate's settings, make no sense.
    """
    try:
        return await Client.connect(
            address,
            namespace=settings.namespace,
            api_key=settings.api_key.get_secret_value() or None,
            tls=_tls(settings),
            data_converter=converter,
            connect_timeout=timedelta(seconds=10),
        )
    except ValueError as error:
        raise InvalidRequest(
            f"cannot connect to {address!r}: {error}; check `temporal.address` and `temporal.tls_*`"
        ) from error
    except (RuntimeError, RPCError, OSError) as error:
        raise TemporalUnreachable(
            f"no Temporal server answers at {address!r} ({error}); check `temporal.address`"
        ) from error


async def ensure_search_attributes(client: Client) -> None:
    """Define AIMA's search attributes on the server; those that are there stay.

    Raises:
        InvalidRequest: one is there with another type.
    """
    there = await _search_attributes(client)
    missing = {}
    for name, kind in ATTRIBUTES.items():
        found = there.get(name)
        if found is None:
            missing[name] = _TYPES[kind]
        elif found != _TYPES[kind]:
            raise InvalidRequest(
                f"search attribute {name!r} of namespace {client.namespace!r} is not a {kind}; "
                "remove it there or choose another namespace"
            )
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # another worker was faster
            raise


async def _search_attributes(client: Client) -> Mapping[str, IndexedValueType.ValueType]:
    """List what is defined; nothing where the server, such as the one for tests, cannot tell."""
    try:
        answer = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return {}
        raise
    return answer.custom_attributes


async def set_retention(client: Client, *, days: int) -> None:
    """Tell the server how long to keep closed runs."""
    keep = Duration(seconds=int(timedelta(days=days).total_seconds()))
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace,
            config=NamespaceConfig(workflow_execution_retention_ttl=keep),
        )
    )


async def wait_for_namespace(client: Client, *, seconds: float) -> None:
    """Wait until a fresh server knows its namespace.

    Raises:
        TemporalUnreachable: it does not within the time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        try:
            await ensure_search_attributes(client)
        except RPCError as error:
            if loop.time() > deadline:
                raise TemporalUnreachable(
                    f"namespace {client.namespace!r} of the Temporal server is not ready: "
                    f"{error.message}; check `temporal.namespace`"
                ) from error
            await asyncio.sleep(0.05)
        else:
            return


def _tls(settings: Temporal) -> TLSConfig | bool | None:
    def read(file: Path | None) -> bytes | None:
        return file.expanduser().read_bytes() if file is not None else None

    try:
        ca, cert, key = map(read, (settings.tls_ca, settings.tls_cert, settings.tls_key))
    except OSError as error:
        raise InvalidRequest(f"a TLS file of `temporal` cannot be read: {error}") from error
    if ca or cert or key:
        return TLSConfig(server_root_ca_cert=ca, client_cert=cert, client_private_key=key)
    return True if settings.tls else None
