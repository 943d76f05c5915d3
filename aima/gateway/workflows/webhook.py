"""Who has sent a webhook: its signature, by a secret that both sides know.

`standard` is Standard Webhooks 1.0.0: HMAC-SHA256 of ``id.timestamp.body``, so a request cannot be
sent again with another id, nor after its time. `hub` is what GitHub and WebSub send: HMAC-SHA256
of the body alone. Nothing else of such a request is vouched for, so the body itself is its id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

from aima.errors import Unauthorized

TOLERANCE_SECONDS = 300
"""How far a request's time may be from ours, either way."""

MOST_SIGNATURES = 10
"""So many are looked at: while a secret is changed a sender signs with the old one as well."""

_PREFIX = "whsec_"
_ID = re.compile(r"[!-~]{1,256}")
_REFUSAL = "there is no such webhook, or it was not signed with its secret just now"


def refusal() -> Unauthorized:
    """Refuse; a stranger learns nothing about what was wrong."""
    return Unauthorized(_REFUSAL)


def verified(
    signature: str, secret: str, headers: Mapping[str, str], body: bytes, *, now: float
) -> str:
    """Give the id of a request that was signed with a secret.

    Args:
        signature: ``standard`` or ``hub``.
        secret: as people have it; behind ``whsec_`` it is Base64.
        headers: of the request.
        body: of the request, to the byte.
        now: seconds since 1970.

    Raises:
        Unauthorized: it was not, or not just now.
    """
    key = _key(secret)
    if signature == "hub":
        told = hmac.new(key, body, hashlib.sha256).hexdigest()
        if not _same(f"sha256={told}", headers.get("x-hub-signature-256", "")):
            raise refusal()
        return hashlib.sha256(body).hexdigest()
    message_id, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = b".".join((message_id.encode(), moment.encode(), body))
    told = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    matches = [_same(f"v1,{told}", one) for one in given]  # all, so that no place is told by time
    if not any(matches) or not _ID.fullmatch(message_id) or not _is_now(moment, now):
        raise refusal()
    return message_id


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass  # a secret that only begins so
    return secret.encode()


def _same(told: str, given: str) -> bool:
    return hmac.compare_digest(told.encode(), given.encode())


def _is_now(moment: str, now: float) -> bool:
    written = re.fullmatch(r"[0-9]{1,12}", moment, re.ASCII)
    return written is not None and abs(int(moment) - now) <= TOLERANCE_SECONDS
