"""How a page is made of a template and what it shows, and what a browser is told to refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from temporalio.service import RPCError

from aima import __version__
from aima.errors import AimaError, Forbidden, Unauthorized
from aima.gateway.access.permission import Caller, Permission
from aima.gateway.problem import tell
from aima.gateway.representation import JSON, preferred
from aima.gateway.route import CALLER, Endpoint, Way
from aima.gateway.web.assets import Assets, page_assets
from aima.gateway.web.words import WORDS
from aima.shipped import shipped

HTML = "text/html"
_RUNS = "/runs/"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "cache-control": "no-store",
}
"""What every page tells the browser: nothing runs, and nothing is loaded, that is not its own."""

_REFUSALS = {
    Unauthorized.status: "You are not signed in",
    Forbidden.status: "Your key does not allow this",
    404: "There is nothing here",
}


@dataclass(frozen=True)
class Look:
    """Makes pages.

    Attributes:
        temporal: where the Temporal UI shows runs; empty where there is none.
    """

    temporal: str = ""
    assets: Assets = field(default_factory=page_assets)

    @cached_property
    def _environment(self) -> Environment:
        # Templates are AIMA's own files, never a text of a workflow: those have the sandbox.
        environment = Environment(
            loader=FileSystemLoader(shipped("templates") / "page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= WORDS
        environment.globals |= {"asset": self.assets.address, "version": __version__}
        return environment

    def page(self, request: Request, name: str, *, status: int = 200, **shown: Any) -> Response:  # noqa: ANN401 - what a template wants
        """Make a page; ``may`` asks in it what the caller may do."""
        caller = request.scope.get(CALLER)
        known = caller if isinstance(caller, Caller) else None

        def may(permission: str) -> bool:
            return known is not None and known.may(Permission(permission))

        template = self._environment.get_template(f"{name}.html")
        text = template.render(
            caller=known, may=may, path=request.scope["path"], temporal=self.temporal, **shown
        )
        return HTMLResponse(text, status, HEADERS)

    def sign_in(self, request: Request, *, wrong: str = "", status: int = 200) -> Response:
        """Ask for a key, and lead to where the browser wanted to go."""
        wanted = request.scope["path"] if request.method == "GET" else "/"
        following = wanted if wanted != "/signin" else "/"
        answer = self.page(request, "signin", wrong=wrong, following=following, status=status)
        if status == Unauthorized.status:
            answer.headers["www-authenticate"] = "Bearer"
        return answer

    def refuse(self, request: Request, error: Exception) -> Response:
        """Tell a browser why not: who is not signed in may do so, others read the reason."""
        told = tell(request, error)
        if preferred(request, (HTML, JSON)) == JSON:
            return told
        if isinstance(error, Unauthorized):
            return self.sign_in(request, status=error.status)
        title = _REFUSALS.get(told.status_code, "This did not work")
        detail = error.message if isinstance(error, AimaError) else str(error)
        shown = {"title": title, "detail": detail, "back": _back(request)}
        return self.page(request, "error", status=told.status_code, **shown)

    def way(self, method: str, path: str, call: Endpoint, may: Permission, **more: Any) -> Way:  # noqa: ANN401 - bounds of a way
        """Make an address whose refusals are pages as well."""
        return Way(method, path, self._shown(call), may, refuse=self.refuse, **more)

    def _shown(self, call: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def shown(request: Request) -> Response:
            try:
                return await call(request)
            except (AimaError, RPCError) as error:
                return self.refuse(request, error)

        return shown


def _back(request: Request) -> str:
    """Give the page of the run that somebody wanted to steer; empty where it was no run."""
    run, _, _ = request.scope["path"].removeprefix(_RUNS).rpartition("/")
    steers = request.method == "POST" and request.scope["path"].startswith(_RUNS)
    return _RUNS + quote(run, safe="") if steers else ""
