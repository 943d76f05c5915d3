"""Prompts: runbooks that a person starts and an agent follows, each a file of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.errors import AimaError
from aima.gateway.access.permission import Permission
from aima.gateway.mcp.rest import Refused, Rest
from aima.prompts import render
from aima.shipped import shipped

MOST_VALUES = 100
"""As many as the protocol allows."""
_MARK = "---\n"


@dataclass(frozen=True)
class Runbook:
    """A prompt.

    Attributes:
        needs: what its steps ask of whoever follows them.
        arguments: what it is filled in with: description, and whether it must be given.
        text: Markdown, as a Jinja2 template.
    """

    name: str
    title: str
    description: str
    needs: Permission
    arguments: Mapping[str, Mapping[str, Any]]
    text: str

    def filled(self, given: Mapping[str, str]) -> str:
        """Fill it in.

        Raises:
            MCPError: an argument is missing or unknown.
        """
        missing = [n for n, a in self.arguments.items() if a["required"] and not given.get(n)]
        unknown = [name for name in given if name not in self.arguments]
        if missing or unknown:
            told = f"needs {missing[0]!r}" if missing else f"has no argument {unknown[0][:40]!r}"
            raise MCPError(types.INVALID_PARAMS, f"the prompt {self.name!r} {told}")
        try:
            return render(self.text, {name: given.get(name, "") for name in self.arguments})
        except AimaError as error:
            raise MCPError(types.INVALID_PARAMS, error.message) from error


def runbooks(project: Path | None = None) -> dict[str, Runbook]:
    """Give all, by name: a project's own in its `templates/runbooks`, and those that AIMA ships."""
    folders = [shipped("templates")] + ([] if project is None else [project / "templates"])
    files = [file for one in folders for file in sorted((one / "runbooks").glob("*.md"))]
    return {file.stem: _runbook(file) for file in files}


@dataclass(frozen=True)
class PromptDesk:
    """Answers for prompts.

    Attributes:
        project: whose runbooks join those that AIMA ships.
    """

    rest: Callable[[ServerRequestContext[Any, Any]], Rest]
    project: Path | None = None

    async def list(
        self, ctx: ServerRequestContext[Any, Any], _: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        """List the prompts whose steps this caller may take."""
        try:
            mine = set((await self.rest(ctx).ask("GET", "/keys/mine"))["permissions"])
        except Refused as refused:
            raise MCPError(types.INTERNAL_ERROR, str(refused), refused.problem) from refused
        return types.ListPromptsResult(
            prompts=[_shown(book) for book in runbooks(self.project).values() if book.needs in mine]
        )

    async def get(
        self, ctx: ServerRequestContext[Any, Any], params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        """Give a prompt, filled in."""
        del ctx  # what the steps need is asked for when they are taken
        book = runbooks(self.project).get(params.name)
        if book is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no prompt {params.name[:80]!r}")
        text = book.filled(params.arguments or {})
        content = types.TextContent(type="text", text=text)
        return types.GetPromptResult(
            description=book.description,
            messages=[types.PromptMessage(role="user", content=content)],
        )

    async def complete(
        self, ctx: ServerRequestContext[Any, Any], params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        """Complete an argument of a prompt while it is typed: the ids of runs are known."""
        values: list[str] = []
        if isinstance(params.ref, types.PromptReference) and params.argument.name == "run":
            with suppress(Refused):  # who may see no runs is offered none
                runs = (await self.rest(ctx).ask("GET", "/runs?limit=1000"))["items"]
                begun = params.argument.value
                values = [run["id"] for run in runs if run["id"].startswith(begun)]
        return types.CompleteResult(
            completion=types.Completion(
                values=values[:MOST_VALUES], total=len(values), has_more=len(values) > MOST_VALUES
            )
        )


def _shown(book: Runbook) -> types.Prompt:
    return types.Prompt(
        name=book.name,
        title=book.title,
        description=book.description,
        arguments=[
            types.PromptArgument(
                name=name, description=said["description"], required=said["required"]
            )
            for name, said in book.arguments.items()
        ],
    )


def _runbook(file: Path) -> Runbook:
    _, head, text = file.read_text(encoding="utf-8").split(_MARK, 2)
    _, root, _ = load(head, file.name)
    told: Any = to_json(root) if root is not None else {}
    return Runbook(
        name=file.stem,
        title=told["title"],
        description=told["description"],
        needs=Permission(told["needs"]),
        arguments=told["arguments"],
        text=text.strip(),
    )
