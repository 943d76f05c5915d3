"""Tokens of a provider: only what it signed, for this AIMA, now, with a key of that very kind."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from aima.errors import InvalidRequest
from aima.gateway.access.keys import Keys, new_key
from aima.gateway.access.permission import Role
from aima.gateway.access.tokens import Tokens
from aima.settings import Oidc
from aima.store import open_store

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ROLES: dict[str, Any] = {"ml-team": "operator", "root": "admin", "guests": "viewer"}


class Clock:
    """Shows the time it is set to."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@dataclass
class Provider:
    """A provider of tokens on loopback: its configuration, its keys, and what was asked."""

    issuer: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    configuration: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        self.asked.append(path)
        told = {"keys": self.keys} if path == "/keys" else self.configuration
        body = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def claims(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
        """Write claims that are good; None leaves one out."""
        good: dict[str, Any] = {
            "iss": self.issuer,
            "aud": "aima",
            "sub": "ann",
            "roles": ["ml-team"],
        }
        told = {**good, "exp": time.time() + 60, **more}
        return {name: value for name, value in told.items() if value is not None}

    def token(self, **more: Any) -> str:  # noqa: ANN401 - any claim
        """Sign claims."""
        return jwt.encode(self.claims(**more), RSA, "RS256", headers={"kid": "r"})

    def tokens(self, clock: Clock | None = None, **settings: Any) -> Tokens:  # noqa: ANN401 - any setting
        """Make what looks at them."""
        told = {"issuer": self.issuer, "roles": ROLES, **settings}
        return Tokens(Oidc.model_validate(told), clock or Clock())


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    """Serve a provider with two keys."""
    made = Provider()
    async with AsyncExitStack() as open_:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        await open_.enter_async_context(server)
        made.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        made.configuration = {"issuer": made.issuer, "jwks_uri": f"{made.issuer}/keys"}
        made.keys = [
            RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"kid": "r", "alg": "RS256"},
            ECAlgorithm.to_jwk(EC.public_key(), as_dict=True) | {"kid": "e"},
        ]
        yield made


async def test_a_token_opens_with_the_role_that_it_tells(provider: Provider) -> None:
    """By the settings' table; the strongest of several counts, and what is not in it does not."""
    tokens = provider.tokens()
    caller = await tokens.caller(provider.token())
    assert caller is not None
    assert (caller.name, caller.id, caller.role) == ("ann", "oidc:ann", Role.OPERATOR)
    told: list[tuple[Any, Role | None]] = [
        (["guests", "root", "x"], Role.ADMIN),
        ("guests x", Role.VIEWER),
        (["admin"], None),
        ([], None),
        (None, None),
        ({"ml-team": True}, None),
        ([["root"]], None),
    ]
    for roles, role in told:
        found = await tokens.caller(provider.token(roles=roles))
        assert (found and found.role) == role, roles
    nested = provider.tokens(role_claim="realm_access.roles")
    found = await nested.caller(provider.token(realm_access={"roles": ["root"]}))
    assert found is not None
    assert found.role is Role.ADMIN


async def test_another_kind_of_key_signs_too(provider: Provider) -> None:
    """Where the settings allow it."""
    token = jwt.encode(provider.claims(), EC, "ES256", headers={"kid": "e"})
    assert await provider.tokens().caller(token) is not None
    assert await provider.tokens(algorithms=["RS256"]).caller(token) is None


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": 1},
    "without an end": {"exp": None},
    "not yet": {"nbf": time.time() + 3600},
    "of another issuer": {"iss": "https://evil.test"},
    "of an issuer that begins like ours": {"iss": "http://127.0.0.1:1.evil.test"},
    "without an issuer": {"iss": None},
    "for somebody else": {"aud": "other"},
    "for nobody": {"aud": None},
    "for many others": {"aud": ["a", "b"]},
    "of nobody": {"sub": None},
    "of an empty name": {"sub": ""},
    "with an odd end": {"exp": "soon"},
}


@pytest.mark.parametrize("how", BAD_CLAIMS)
async def test_a_token_with_wrong_claims_opens_nothing(provider: Provider, how: str) -> None:
    """It was signed by the provider, and is not for this door now."""
    assert await provider.tokens().caller(provider.token(**BAD_CLAIMS[how])) is None


def part(told: object) -> str:
    """Write a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def signed_with_the_public_key(provider: Provider) -> str:
    """Take the public key as if it were a shared secret."""
    public = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = f"{part({'alg': 'HS256', 'kid': 'r'})}.{part(provider.claims())}"
    mark = hmac.new(public, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def with_header(provider: Provider, key: rsa.RSAPrivateKey = RSA, **header: Any) -> str:  # noqa: ANN401 - JSON
    """Sign good claims under a header."""
    return jwt.encode(provider.claims(), key, "RS256", headers={"kid": "r", **header})


FORGED: dict[str, Callable[[Provider], str]] = {
    "without a signature": lambda p: f"{part({'alg': 'none', 'kid': 'r'})}.{part(p.claims())}.",
    "in another spelling": lambda p: f"{part({'alg': 'NoNe', 'kid': 'r'})}.{part(p.claims())}.",
    "with its signature cut off": lambda p: p.token().rpartition(".")[0] + ".",
    "by HMAC with the public key": signed_with_the_public_key,
    "by a stranger": lambda p: with_header(p, STRANGERS),
    "by a stranger who brings his key": lambda p: with_header(
        p, STRANGERS, jwk=RSAAlgorithm.to_jwk(STRANGERS.public_key(), as_dict=True)
    ),
    "by a stranger who tells where": lambda p: with_header(
        p, STRANGERS, jku="https://evil.test/keys", kid="s"
    ),
    "with an unknown key": lambda p: with_header(p, kid="x"),
    "without a key's name": lambda p: jwt.encode(p.claims(), RSA, "RS256"),
    "with a key of another kind": lambda p: with_header(p, kid="e"),
    "with an algorithm that does not count": lambda p: jwt.encode(
        p.claims(), RSA, "RS512", headers={"kid": "r"}
    ),
    "with something critical": lambda p: with_header(p, crit=["b64"], b64=True),
    "changed": lambda p: p.token().replace(".", ".eyJ", 1),
    "of three empty parts": lambda _: "eyJ..",
    "of nonsense": lambda _: "eyJ0.!!!.???",
    "of a list": lambda _: f"eyJ.{part([])}.x",
    "of claims that are a list": lambda _: jwt.api_jws.encode(
        b"[]", RSA, "RS256", headers={"kid": "r"}
    ),
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_token_opens_nothing(provider: Provider, how: str) -> None:
    """Whatever it says of itself."""
    tokens = provider.tokens()
    assert await tokens.caller(provider.token()) is not None
    assert await tokens.caller(FORGED[how](provider)) is None


async def test_keys_are_kept_and_read_anew_when_they_change(provider: Provider) -> None:
    """A provider is asked seldom, also where somebody names unknown keys all the time."""
    clock = Clock()
    tokens = provider.tokens(clock)
    for _ in range(20):
        assert await tokens.caller(provider.token()) is not None
        assert await tokens.caller(with_header(provider, kid="new")) is None
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]
    provider.keys.append(provider.keys[0] | {"kid": "new"})
    clock.now += 11
    assert await tokens.caller(with_header(provider, kid="new")) is not None
    provider.keys.clear()
    clock.now += 4000
    assert await tokens.caller(provider.token()) is None, "a key that was withdrawn opens nothing"


async def test_a_provider_that_is_away_keeps_its_keys(provider: Provider) -> None:
    """And one that changes what it is tells nothing."""
    clock = Clock()
    tokens = provider.tokens(clock)
    assert await tokens.caller(provider.token()) is not None
    provider.configuration["issuer"] = "https://evil.test"
    clock.now += 4000
    assert await tokens.caller(provider.token()) is not None
    assert await provider.tokens().caller(provider.token()) is None


async def test_secrets_among_a_providers_keys_do_not_count(provider: Provider) -> None:
    """A key that both sides know signs nothing here, nor does one for encryption."""
    secret = {"kty": "oct", "kid": "s", "k": part("secret"), "alg": "HS256"}
    provider.keys[:] = [secret, provider.keys[0] | {"use": "enc"}, {"kty": "?"}, 7]  # type: ignore[list-item] # a provider may say anything
    tokens = provider.tokens()
    forged = jwt.encode(provider.claims(), "secret" * 9, "HS256", headers={"kid": "s"})
    assert await tokens.caller(forged) is None
    assert await tokens.caller(provider.token()) is None


async def test_keys_of_aima_open_beside_tokens(provider: Provider, tmp_path: Path) -> None:
    """Programs keep their keys when people come with tokens."""
    keys = Keys({}, partial(open_store, tmp_path / "aima.db"), provider.tokens())
    made = new_key("ci", Role.VIEWER)
    await keys.add(made)
    for text, name in ((made.text, "ci"), (provider.token(), "ann")):
        caller = await keys.caller(text.encode())
        assert caller is not None
        assert caller.name == name
    without = Keys({}, partial(open_store, tmp_path / "aima.db"))
    assert await without.caller(provider.token().encode()) is None


def test_an_issuer_over_a_network_has_tls() -> None:
    """Who could change its keys on the way could be anybody."""
    with pytest.raises(InvalidRequest, match="has to begin with https"):
        Tokens(Oidc(issuer="http://login.example.org"))
    Tokens(Oidc(issuer="https://login.example.org"))
