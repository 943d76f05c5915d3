"""A run: how far it is, what it says, what came out or went wrong, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aima.errors import ValidationFailed
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way, caller_of
from aima.gateway.runs.artifact_routes import way_of
from aima.gateway.web.drawn import drawn
from aima.gateway.web.look import Look
from aima.gateway.web.signing import MOST_FORM_BYTES, fields_of
from aima.gateway.workflows.known import KnownWorkflows
from aima.ports.artifacts import Artifact
from aima.temporal.again import Again
from aima.temporal.runs import Outcome, Runs
from aima.workflows.messages import APPROVE
from aima.workflows.outline import shape

AROUND = 3
"""Lines of the workflow's text that are shown before and after the one that failed."""
_PLAYED = ("audio", "image", "video")


class Place(NamedTuple):
    """Where in a workflow's text something went wrong."""

    text: str
    lines: list[tuple[int, str]]
    line: int


class Shown(NamedTuple):
    """A value that a run took or gave; ``kind`` tells how it is shown."""

    key: str
    kind: str
    value: Any
    link: str = ""


@dataclass(frozen=True)
class RunPage:
    """Shows a run and steers it."""

    look: Look
    known: KnownWorkflows
    runs: Runs

    def ways(self) -> list[Way]:
        """Give the addresses."""
        run, may, most = "/runs/{id:path}", Permission, MOST_FORM_BYTES
        steers = {
            "cancel": self.cancel,
            "retry": self.retry,
            "again": self.again,
            "answer": self.answer,
            "signal": self.signal,
        }
        return [
            *(
                self.look.way("POST", f"{run}/{name}", call, may.RUN_CONTROL, most_bytes=most)
                for name, call in steers.items()
            ),
            self.look.way("GET", run, self.show, may.RUN_READ),
        ]

    async def show(self, request: Request) -> Response:
        """Show it as it is now; the page's script goes on from there."""
        run = await self.runs.find(request.path_params["id"])
        asked, plan = await self.runs.started_with(run.id)
        tree = await self.runs.tree(run.id)
        outcome = None if run.state == "running" else await self.runs.outcome(run.id)
        memo = await (await self.runs.handle(run.id).describe()).memo()
        source = str(memo.get("source", ""))
        return self.look.page(
            request,
            "run",
            run=run,
            graph=drawn(plan),
            tree=tree,
            approvers=approvers_of(plan),
            outcome=outcome,
            output=list(_shown(outcome.output if outcome else None)),
            input=list(_shown(asked.get("input"))),
            place=await self._place(request, plan, source, outcome),
        )

    async def _place(
        self, request: Request, plan: Mapping[str, Any], source: str, outcome: Outcome | None
    ) -> Place | None:
        """Find where in the workflow's text a run failed, with its lines while it is unchanged."""
        error = outcome.error if outcome is not None else None
        line = error.get("line") if error is not None else None
        if error is None or not isinstance(line, int):
            return None
        steps = {one.id: one.step for one in shape(plan)}
        step = steps.get(str(error.get("step", "")).split("[")[0].rpartition(".")[2])
        column = step["at"][1] if step is not None and step["at"][0] == line else 1
        reads = caller_of(request.scope).may(Permission.WORKFLOW_READ)
        text = await self._text(plan) if reads else ""
        first = max(line - 1 - AROUND, 0)
        lines = list(enumerate(text.splitlines(), 1))[first : line + AROUND] if text else []
        return Place(f"{source or plan['name']}:{line}:{column}", lines, line)

    async def _text(self, plan: Mapping[str, Any]) -> str:
        found = {one.name: one for one in await self.known.all()}.get(str(plan["name"]))
        same = found is not None and found.plan is not None and found.plan.data == plan
        return found.text if found is not None and same else ""

    async def cancel(self, request: Request) -> Response:
        """Ask it to stop."""
        await self.runs.cancel(request.path_params["id"])
        return self._to(request)

    async def retry(self, request: Request) -> Response:
        """Run again what it did not finish."""
        old = request.path_params["id"]
        return self._to(request, await Again(self.runs).retry(old, start="", config={}))

    async def again(self, request: Request) -> Response:
        """Run all of it again."""
        return self._to(request, await Again(self.runs).rerun(request.path_params["id"]))

    async def answer(self, request: Request) -> Response:
        """Answer a step that waits for approval, in the caller's name."""
        given = await fields_of(request)
        answer: dict[str, Any] = {
            "step": given.get("step", ""),
            "approved": given.get("approved") == "yes",
            "by": caller_of(request.scope).name,
        }
        if comment := given.get("comment"):
            answer["comment"] = comment
        await self.runs.send(given.get("run") or request.path_params["id"], APPROVE, answer)
        return self._to(request)

    async def signal(self, request: Request) -> Response:
        """Send it what a step waits for.

        Raises:
            ValidationFailed: what was written is no JSON.
        """
        given = await fields_of(request)
        try:
            data = from_json(given.get("data") or "null", allow_inf_nan=False)
        except ValueError as error:
            raise ValidationFailed(f"the data of the signal is no JSON: {error}") from error
        run_id = given.get("run") or request.path_params["id"]
        await self.runs.send(run_id, given.get("name", ""), data)
        return self._to(request)

    def _to(self, request: Request, run_id: str = "") -> Response:
        if run_id:
            note(request.scope, run=run_id)
        return RedirectResponse(address_of(run_id or request.path_params["id"]), 303)


def approvers_of(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Tell who may answer each step that not everybody may."""
    asked = {line.id: line.step.get("wait_for", {}).get("approval") for line in shape(plan)}
    named = {step: ask.get("approvers") for step, ask in asked.items() if isinstance(ask, dict)}
    return {step: names for step, names in named.items() if isinstance(names, list)}


def address_of(run_id: str) -> str:
    """Give the address of a run's page; whatever the id holds stays within it."""
    return f"/runs/{quote(run_id, safe='')}"


def _shown(value: Any) -> Iterator[Shown]:  # noqa: ANN401 - any JSON
    """Tell how to show what a run took or gave, value by value."""
    if value is None:
        return
    for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
        several = isinstance(inner, list) and inner and all(map(_artifact, inner))
        for one in inner if several else [inner]:
            yield _as_shown(str(key), one)


def _as_shown(key: str, value: Any) -> Shown:  # noqa: ANN401 - any JSON
    artifact = _artifact(value)
    if artifact is not None:
        kind = artifact.media_type.partition("/")[0]
        return Shown(key, kind if kind in _PLAYED else "file", artifact, way_of(artifact.artifact))
    return Shown(key, "text" if isinstance(value, str) else "json", value)


def _artifact(value: Any) -> Artifact | None:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict) or "artifact" not in value:
        return None
    try:
        return Artifact.model_validate(value)
    except ValidationError:
        return None
