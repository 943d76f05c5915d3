"""Counts of the door itself: requests by address, and the tokens of those that models answered."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from starlette.types import Scope

from aima.gateway.accounts import SPENT, Spent

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

ROUTE = "aima.route"
"""Where the scope of a request has the template of its address."""
NOWHERE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


class RequestMeter:
    """Counts requests; labels are templates and names of models, never what somebody made up."""

    def ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that was answered; status 0 is one whose caller left before."""
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = scope.get(ROUTE, NOWHERE)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        spent = scope.get(SPENT)
        if isinstance(spent, Spent) and spent.engine:
            for kind in ("prompt", "completion"):
                tokens = getattr(spent, f"{kind}_tokens") or 0
                self._tokens.labels(spent.engine, spent.model, kind).inc(max(tokens, 0))

    @cached_property
    def registry(self) -> CollectorRegistry:
        """What was counted."""
        from prometheus_client import CollectorRegistry

        return CollectorRegistry()

    @cached_property
    def _requests(self) -> Counter:
        from prometheus_client import Counter

        return Counter(
            "aima_http_requests",
            "Requests at the door, by the template of the address.",
            ("method", "route", "status"),
            registry=self.registry,
        )

    @cached_property
    def _seconds(self) -> Histogram:
        from prometheus_client import Histogram

        return Histogram(
            "aima_http_request_duration_seconds",
            "From a request's first byte to its answer's last; streams take as long as they last.",
            ("method", "route"),
            registry=self.registry,
            buckets=_SECONDS,
        )

    @cached_property
    def _tokens(self) -> Counter:
        from prometheus_client import Counter

        return Counter(
            "aima_gateway_tokens",
            "Tokens of requests at /v1, as the engines told them.",
            ("engine", "model", "kind"),
            registry=self.registry,
        )
