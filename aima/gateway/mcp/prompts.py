"""Prompts: runbooks that a person starts and an agent follows, each a file of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.errors import AimaError
from aima.gateway.mcp.rest import Refused, Rest
from aima.gateway.permission import Permission
from aima.prompts import render
from aima.shipped import shipped

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


def runbooks() -> dict[str, Runbook]:
    """Give all, by name."""
    files = sorted((shipped("templates") / "runbooks").glob("*.md"))
    return {file.stem: _runbook(file) for file in files}


@dataclass(frozen=True)
class PromptDesk:
    """Answers for prompts."""

    rest: Callable[[ServerRequestContext[Any, Any]], Rest]

    async def list(
        self, ctx: ServerRequestContext[Any, Any], _: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        """List the prompts whose steps this caller may take."""
        try:
            mine = set((await self.rest(ctx).ask("GET", "/keys/mine"))["permissions"])
        except Refused as refused:
            raise MCPError(types.INTERNAL_ERROR, str(refused), refused.problem) from refused
        return types.ListPromptsResult(
            prompts=[_shown(book) for book in runbooks().values() if book.needs in mine]
        )

    async def get(
        self, ctx: ServerRequestContext[Any, Any], params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        """Give a prompt, filled in."""
        del ctx  # what the steps need is asked for when they are taken
        book = runbooks().get(params.name)
        if book is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no prompt {params.name[:80]!r}")
        text = book.filled(params.arguments or {})
        content = types.TextContent(type="text", text=text)
        return types.GetPromptResult(
            description=book.description,
            messages=[types.PromptMessage(role="user", content=content)],
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
