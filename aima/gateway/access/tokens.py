"""Tokens of an OpenID Connect provider as keys of the door: JWTs, checked here.

A token says itself how it is signed; what it says is believed only where the settings allow it,
and only with a key of that very kind (RFC 8725). So there is no token without a signature, and
none whose signature was made with a public key as if it were a secret.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from aima.errors import AimaError, InvalidRequest
from aima.gateway.access.permission import Caller, Role
from aima.outbound import Outbound
from aima.settings import Oidc
from aima.settings import Outbound as Bounds

if TYPE_CHECKING:
    from jwt import PyJWK

log = logging.getLogger(__name__)

MOST_CHARACTERS = 8_192
"""Of a token; the headers of a request have a bound as well."""
_BEGINNING = "eyJ"  # `{"` in base64
_MOST_BYTES = 1 << 20
_MOST_KEYS = 100
_SECONDS = 5.0
_ASKED_EVERY = 10.0
"""Seconds in which the provider is asked once at most, however many unknown keys are named."""
_STRENGTH = (Role.ADMIN, Role.AUTHOR, Role.OPERATOR, Role.VIEWER, Role.DEVICE)


def is_token(text: str) -> bool:
    """Tell whether this may be a token rather than a key."""
    return text.startswith(_BEGINNING) and text.count(".") == 2 and len(text) <= MOST_CHARACTERS  # noqa: PLR2004 - header, claims, signature


@dataclass
class Tokens:
    """Knows who comes in with which token.

    Attributes:
        oidc: whose tokens are taken, and what they may do.
        clock: gives seconds that only grow.
    """

    oidc: Oidc
    clock: Callable[[], float] = monotonic
    _keys: dict[str, PyJWK] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _asked_at: float = float("-inf")
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """See whether the library is there.

        Raises:
            InvalidRequest: it is not, or the issuer is called without TLS over a network.
        """
        try:
            import jwt  # noqa: F401 - only whether it is there
        except ImportError as error:
            raise InvalidRequest(
                "`oidc.issuer` needs the extra `aima[oidc]`; install it"
            ) from error
        parts = urlsplit(self.oidc.issuer)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise InvalidRequest(f"`oidc.issuer` {self.oidc.issuer!r} has to begin with https://")
        own = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        bounds = Bounds(allow=[f"{own}"], max_bytes=_MOST_BYTES, seconds=_SECONDS, redirects=0)
        self._outbound = Outbound(bounds)

    async def caller(self, token: str) -> Caller | None:
        """Tell whose token this is; None for nobody's, an ended one's, or one without a role."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self.oidc.algorithms or "crit" in header:
                return None
            key = await self._key(header.get("kid"))
            if key is None or key.algorithm_name != header["alg"]:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self.oidc.audience,
                issuer=self.oidc.issuer,
                leeway=self.oidc.leeway_seconds,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):  # whatever a stranger can make of it
            return None
        role = self._role(claims)
        subject = str(claims["sub"])
        return (
            None
            if role is None or not subject
            else Caller(subject[:200], role, id=f"oidc:{subject[:200]}")
        )

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """Give the strongest of the roles that a token has."""
        found: object = claims
        for name in self.oidc.role_claim.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        values = found.split() if isinstance(found, str) else found
        if not isinstance(values, list):
            return None
        given = {self.oidc.roles.get(value) for value in values if isinstance(value, str)}
        return next((role for role in _STRENGTH if role in given), None)

    async def _key(self, name: object) -> PyJWK | None:
        """Find a key of the provider; an unknown name makes it be asked again, now and then."""
        if not isinstance(name, str):
            return None
        async with self._turn:
            old = self.clock() - self._read_at > self.oidc.keys_seconds
            may = self.clock() - self._asked_at > _ASKED_EVERY
            if (old or name not in self._keys) and may:
                self._asked_at = self.clock()
                await self._read()
        return self._keys.get(name)

    async def _read(self) -> None:
        """Ask the provider for its keys; those of before stay where it does not answer."""
        try:
            url = self.oidc.keys_url or await self._discovered()
            told = _object((await self._outbound.get(url)).body)
        except (AimaError, ValueError) as error:
            log.warning("the keys of %r cannot be read: %s", self.oidc.issuer, error)
            return
        self._keys = _readable(told, self.oidc.algorithms)
        self._read_at = self.clock()

    async def _discovered(self) -> str:
        """Ask the provider where its keys are (OpenID Connect Discovery 1.0).

        Raises:
            ValueError: it is another one than the settings name, or does not tell.
        """
        place = f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
        told = _object((await self._outbound.get(place)).body)
        url = told.get("jwks_uri")
        if told.get("issuer") != self.oidc.issuer or not isinstance(url, str):
            raise ValueError("its configuration is of another issuer, or names no keys")
        if self.oidc.issuer.startswith("https:") and not url.startswith("https:"):
            raise ValueError("its keys are told without TLS")
        return url


def _object(body: bytes) -> dict[str, Any]:
    told = from_json(body)
    if not isinstance(told, dict):
        raise ValueError("it answers something else than an object")  # noqa: TRY004 - of JSON
    return told


def _readable(told: Mapping[str, Any], algorithms: Sequence[str]) -> dict[str, PyJWK]:
    """Take the keys that may sign tokens here, by their names."""
    import jwt

    keys: dict[str, PyJWK] = {}
    listed = told.get("keys")
    for one in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") == "oct":
            continue
        try:
            key = jwt.PyJWK.from_dict(one)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # a kind of key that this library does not know
        if isinstance(one.get("kid"), str) and key.algorithm_name in algorithms:
            keys[one["kid"]] = key
    return keys
