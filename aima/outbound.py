"""Fetching what an address that came with somebody's data leads to: the one way, and guarded.

What is checked is the address that the connection is made to, not a text: a name is resolved
once and the connection goes to what was checked. So it does not matter how a host is spelled,
what a parser elsewhere would have read, or what its name would resolve to the next time.

Engines and Temporal are not called this way: their addresses are in the settings, whose author
may reach whatever this machine reaches.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

import httpcore2
import httpx2

from aima.addresses import Address, Allowed
from aima.errors import Forbidden, InvalidRequest, TimedOut, TooLarge
from aima.settings import Outbound as Bounds

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]

_PORTS = {"http": 80, "https": 443}
_MOVED = {301, 302, 303, 307, 308}
_MOST_CHARACTERS = 2_000
_SHOWN = 120
_CONNECT_SECONDS = 10.0
_HEADERS = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"identity"),  # nothing is unpacked here, so nothing can burst
    (b"user-agent", b"aima"),
]


@dataclass(frozen=True)
class Fetched:
    """What an address led to.

    Attributes:
        url: where it was in the end.
    """

    url: str
    body: bytes


class Outbound:
    """Fetches from public addresses, and from those that the settings allow.

    It carries no key, no cookie and no password, so there is none to lose at a redirect.
    """

    def __init__(
        self,
        bounds: Bounds,
        *,
        resolve: Resolve | None = None,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        """Prepare to fetch.

        Args:
            bounds: how much, how long, and what is allowed beyond public addresses.
            resolve: finds the addresses of a name; the machine's resolver, unless given.
            network: makes connections to addresses.
        """
        self._bounds = bounds
        allowed = Allowed.read(bounds.allow)
        self._network = _Pinned(
            allowed, resolve or resolved, network or httpcore2.AnyIOBackend(), bounds.seconds
        )

    async def get(self, url: str, *, most_bytes: int | None = None) -> Fetched:
        """Fetch what is at an address.

        Args:
            url: beginning with `http://` or `https://`.
            most_bytes: less than the settings allow.

        Raises:
            InvalidRequest: it is no such address, or nothing is there.
            Forbidden: it leads to an address that may not be called.
            TooLarge: there is more than that.
            TimedOut: it took too long.
        """
        most = (
            self._bounds.max_bytes
            if most_bytes is None
            else min(most_bytes, self._bounds.max_bytes)
        )
        shown = repr(url[:_SHOWN])
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._follow(_parsed(url), most)
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise TimedOut(f"{shown} did not answer within {self._bounds.seconds:g} s") from error
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.UnsupportedProtocol,
            OSError,  # a certificate that does not fit, a name that nobody knows
        ) as error:
            raise InvalidRequest(f"nothing could be fetched from {shown}") from error

    async def _follow(self, url: httpx2.URL, most: int) -> Fetched:
        """Fetch, and go where it points; each hop is looked at like the first."""
        for _ in range(self._bounds.redirects + 1):
            async with self._asked(url) as response:
                headers = httpx2.Headers(response.headers)
                if response.status in _MOVED and "location" in headers:
                    following = _parsed(headers["location"], url)
                    if url.scheme == "https" and following.scheme != "https":
                        raise Forbidden(f"{_said(url)} leads from https to http")
                    url = following
                    continue
                if response.status != httpx2.codes.OK:
                    raise InvalidRequest(f"{_said(url)} answered {response.status}")
                if headers.get("content-encoding", "identity").lower() != "identity":
                    raise InvalidRequest(f"{_said(url)} answered packed bytes, which nobody asked")
                return Fetched(str(url), await _read(response, headers, url, most))
        raise InvalidRequest(f"{_said(url)} is after more than {self._bounds.redirects} redirects")

    @asynccontextmanager
    async def _asked(self, url: httpx2.URL) -> AsyncIterator[httpcore2.Response]:
        address = httpcore2.URL(
            scheme=url.raw_scheme,
            host=url.raw_host,
            port=url.port,
            target=url.raw_path,
        )
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self._bounds.seconds)
        # A pool of its own: no connection is ever used for another fetch.
        async with (
            httpcore2.AsyncConnectionPool(network_backend=self._network) as pool,
            pool.stream(
                "GET", address, headers=_HEADERS, extensions={"timeout": waits}
            ) as response,
        ):
            yield response


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were looked at, under whatever name they came."""

    def __init__(
        self,
        allowed: Allowed,
        resolve: Resolve,
        network: httpcore2.AsyncNetworkBackend,
        seconds: float,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._network = network
        self._seconds = min(_CONNECT_SECONDS, seconds)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve a name once, and connect to the first of its addresses that answers.

        Raises:
            Forbidden: none of them may be called.
        """
        del timeout
        found = await self._resolve(host, port)
        good = [address for address in found if self._allowed.permits(host, port, address)]
        if not good:
            raise Forbidden(
                f"{host[:_SHOWN]!r} is no address of the public internet; whoever runs this AIMA "
                f"may allow it: `outbound.allow`, `{host[:_SHOWN]}:{port}`"
            )
        for address in good[:-1]:
            try:
                return await self._connect(address, port, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._connect(good[-1], port, local_address, socket_options)

    async def _connect(
        self,
        address: Address,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        return await self._network.connect_tcp(
            str(address), port, self._seconds, local_address, socket_options
        )


async def resolved(host: str, port: int) -> list[Address]:
    """Ask the machine's resolver for the addresses of a name.

    It also reads `127.1`, `0x7f000001` and `017700000001`, as every program here does; what they
    mean is then looked at like any address.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


def _parsed(text: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """Read an address, the only time that it is read.

    Raises:
        InvalidRequest: it is none of HTTP, or tells a name and password.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InvalidRequest(f"an address has up to {_MOST_CHARACTERS} characters")
    try:
        url = base.join(text) if base else httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError) as error:
        raise InvalidRequest(f"{text[:_SHOWN]!r} is no address: {error}") from error
    if url.scheme not in _PORTS or not url.host:
        raise InvalidRequest(
            f"{text[:_SHOWN]!r} is no address that begins with http:// or https://"
        )
    if url.userinfo:
        raise InvalidRequest(f"the address at {url.host[:_SHOWN]!r} tells a name; leave it out")
    return url


async def _read(
    response: httpcore2.Response, headers: httpx2.Headers, url: httpx2.URL, most: int
) -> bytes:
    refusal = TooLarge(f"{_said(url)} has more than {most / 1e6:g} MB")
    stated = headers.get("content-length", "0")
    if stated.isdecimal() and int(stated) > most:
        raise refusal
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > most:
            raise refusal
    return bytes(body)


def _said(url: httpx2.URL) -> str:
    """Name an address without its query, which may hold what is private."""
    return repr(str(url.copy_with(query=None, fragment=None))[:_SHOWN])
