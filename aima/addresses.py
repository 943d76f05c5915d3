"""Which addresses a stranger may have AIMA call: those of the public internet, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# Python's own `is_global` has changed with its patch releases; here it stands in one table.
# Sources: the IANA registries of special-purpose addresses, for IPv4 and for IPv6.
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared, behind a carrier's NAT; one cloud's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's agent: a public address that is served by each machine's host
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo and others that carry an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is routed. Loopback, private, link-local, multicast, IPv4-mapped and NAT64
addresses lie outside."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The upper half of an interface that carries an IPv4 address (RFC 5214)."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet, and hides no other one."""
    if isinstance(address, IPv6Address):
        carries = (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP
        if address not in _UNICAST or carries:
            return False
    return not any(address.version == net.version and address in net for net in _SPECIAL)


@dataclass(frozen=True)
class Allowed:
    """What the settings allow beyond the public internet.

    Attributes:
        places: hosts and ports, under whose name any address may be called; None: any port.
        networks: networks whose addresses may be called under any name.
    """

    places: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, texts: Iterable[str]) -> Allowed:
        """Read `host`, `host:port`, `[ipv6]:port` and `network/bits`.

        Raises:
            ValueError: a text is none of these.
        """
        places: set[tuple[str, int | None]] = set()
        networks: list[Network] = []
        for text in texts:
            if "/" in text:
                networks.append(ip_network(text))
                continue
            host, port = _place(text)
            places.add((host.lower().rstrip("."), port))
        return cls(frozenset(places), tuple(networks))

    def permits(self, host: str, port: int, address: Address) -> bool:
        """Tell whether an address may be called, as a host and port of this name."""
        name = host.lower().rstrip(".")
        if (name, port) in self.places or (name, None) in self.places:
            return True
        listed = any(address.version == net.version and address in net for net in self.networks)
        return listed or is_public(address)


def _place(text: str) -> tuple[str, int | None]:
    host, port = text, ""
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise ValueError(f"{text!r} lacks a bracket")
        host, port = str(ip_address(host)), port[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or (port and not port.isdecimal()):
        raise ValueError(f"{text!r} is no `host`, `host:port` or `network/bits`")
    if ":" in host:
        host = str(ip_address(host))
    return host, int(port) if port else None
