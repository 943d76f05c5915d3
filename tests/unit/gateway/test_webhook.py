"""Signatures of webhooks: who is let in, and that nothing near it is."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from aima.errors import Unauthorized
from aima.gateway.workflows.webhook import TOLERANCE_SECONDS, verified

NOW = 1_614_265_330
BODY = b'{"test": 2432232314}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the specification's example
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def verify(
    headers: dict[str, str] | None = None,
    *,
    body: bytes = BODY,
    secret: str = SECRET,
    now: float = NOW,
) -> str:
    """Verify the example with something changed."""
    return verified("standard", secret, {**HEADERS, **(headers or {})}, body, now=now)


def test_the_example_of_the_specification_is_let_in() -> None:
    """What any library of Standard Webhooks signs is understood here."""
    assert verify() == HEADERS["webhook-id"]


def test_a_sender_that_changes_its_secret_signs_twice() -> None:
    """One of the signatures is enough; those of other kinds are passed over."""
    old = f"v1a,unknown v1,{'A' * 43}= {HEADERS['webhook-signature']}"
    assert verify({"webhook-signature": old}) == HEADERS["webhook-id"]


def test_a_secret_may_be_any_text() -> None:
    """Also one that only begins like those of the specification."""
    for secret in ("plain text", "whsec_!"):
        signed = f"{HEADERS['webhook-id']}.{NOW}.".encode() + BODY
        made = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
        assert verify({"webhook-signature": f"v1,{made}"}, secret=secret)


@pytest.mark.parametrize("late", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_clocks_may_differ_a_little(late: int) -> None:
    """Five minutes either way."""
    assert verify(now=NOW + late)


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-id": "msg_another"},
        {"webhook-id": ""},
        {"webhook-id": "é"},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": HEADERS["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v2,")},
        {"webhook-signature": HEADERS["webhook-signature"].lower()},
        {"webhook-signature": "x " * 10 + HEADERS["webhook-signature"]},
        {"webhook-signature": "é"},
    ],
)
def test_nothing_near_it_is_let_in(headers: dict[str, str]) -> None:
    """A header more, less or other."""
    with pytest.raises(Unauthorized):
        verify(headers)


def test_another_body_time_or_secret_is_not_let_in() -> None:
    """All with one message: what was wrong is nobody's business."""
    said = set()
    for changed in (
        {"body": BODY + b" "},
        {"now": NOW + TOLERANCE_SECONDS + 1},
        {"now": NOW - TOLERANCE_SECONDS - 1},
        {"secret": "whsec_AAAA"},
        {"secret": ""},
    ):
        with pytest.raises(Unauthorized) as refused:
            verify(**changed)
        said.add(str(refused.value))
    assert len(said) == 1


def test_github_signs_the_body_alone() -> None:
    """So the body is its id: whoever sends it again, under whatever name, starts nothing new."""
    secret, body = "It's a Secret to Everybody", b"Hello, World!"  # GitHub's own example
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": told, "x-github-delivery": "1"}
    assert verified("hub", secret, headers, body, now=0) == hashlib.sha256(body).hexdigest()
    with pytest.raises(Unauthorized):
        verified("hub", secret, headers, body + b"!", now=0)
    with pytest.raises(Unauthorized):
        verified("hub", secret, {}, body, now=0)
