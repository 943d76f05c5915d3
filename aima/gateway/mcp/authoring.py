"""Tools for writing workflows: learn the language, see examples, check a text, run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from aima.blocking import in_thread
from aima.dsl.load import load
from aima.dsl.nearest import nearest
from aima.dsl.node import to_json
from aima.errors import NotFound
from aima.gateway.access.permission import Permission
from aima.gateway.explain import page_of
from aima.gateway.mcp.following import LONGEST_WAIT_SECONDS, PATIENCE_SECONDS, started
from aima.gateway.mcp.rest import refused
from aima.gateway.mcp.tool import Arguments, Call, Told, Tool, own_tool
from aima.shipped import shipped, workflows_below

INDEX = "language/README"
FILE = "workflow.yaml"
"""What messages call a text that an agent has written."""


class DescribeLanguage(Arguments):
    """What of the language."""

    topic: str = Field(
        default="",
        max_length=100,
        description="A key such as `for_each`, `expressions`, or the code of a mistake such as "
        "`expression/unknown-name`. Empty: all keys, each with a sentence.",
    )


class ShowExamples(Arguments):
    """Which example."""

    name: str = Field(default="", max_length=100, description="Empty: all, with a sentence each.")


class CheckWorkflow(Arguments):
    """What to check."""

    text: str = Field(description="The workflow, as YAML.")


class TryWorkflow(CheckWorkflow):
    """What to run, and on what."""

    input: dict[str, Any] = Field(default={}, description="As the workflow's `inputs` say.")
    config: dict[str, Any] = Field(default={}, description="Overrides values of its `config`.")
    wait_seconds: float = Field(
        default=PATIENCE_SECONDS,
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="How long to wait for the end; the run goes on after that.",
    )


async def describe_language(asked: DescribeLanguage, call: Call) -> Told:
    """Explain the workflow language, one of its keys, or a mistake that `check_workflow` found."""
    del call
    text = await in_thread(_page, asked.topic)
    if not text:
        known = [*_topics(), INDEX]
        near = nearest(asked.topic, known)
        hint = f"did you mean {near!r}?" if near else "leave `topic` out for all of them"
        raise refused(NotFound(f"the language has nothing called {asked.topic!r}; {hint}"))
    return {"topic": asked.topic, "page": text}


async def show_examples(asked: ShowExamples, call: Call) -> Told:
    """Show a whole workflow that works, with its tests; without a name list what there is."""
    del call
    files = {file.stem: file for file in workflows_below(shipped("workflows"))}
    if not asked.name:
        return {"examples": [{"name": name, **_sentence(files[name])} for name in sorted(files)]}
    if asked.name not in files:
        raise refused(NotFound(f"no example is called {asked.name!r}; leave `name` out for all"))
    file = files[asked.name]
    tests = file.with_name(f"{file.stem}.test.yaml")
    return {
        "name": asked.name,
        "workflow": file.read_text(encoding="utf-8"),
        "tests": tests.read_text(encoding="utf-8") if tests.is_file() else "",
    }


async def check_workflow(asked: CheckWorkflow, call: Call) -> Told:
    """Tell what is wrong with a workflow, line by line; nothing is run or kept."""
    return await call.rest.ask("POST", "/workflows/check", {"text": asked.text, "file": FILE})


async def try_workflow(asked: TryWorkflow, call: Call) -> Told:
    """Run a workflow given as text, without storing it; gives its output, or an operation."""
    body = {"text": asked.text, "file": FILE, "input": asked.input, "config": asked.config}
    return await started(call, "/runs", body, seconds=asked.wait_seconds)


async def store_workflow(asked: CheckWorkflow, call: Call) -> Told:
    """Keep a workflow under the `name` in its text, so that it can be run; triggers are active.

    One of that name that was stored before is replaced.
    """
    return await call.rest.ask("POST", "/workflows", {"text": asked.text})


def authoring_tools() -> list[Tool]:
    """Give the tools."""
    return [
        own_tool(describe_language, needs=Permission.WORKFLOW_WRITE, reads=True),
        own_tool(show_examples, needs=Permission.WORKFLOW_WRITE, reads=True),
        own_tool(check_workflow, needs=Permission.WORKFLOW_WRITE, reads=True),
        own_tool(try_workflow, needs=Permission.WORKFLOW_WRITE, destroys=True),
        own_tool(store_workflow, needs=Permission.WORKFLOW_WRITE, destroys=True, repeatable=True),
    ]


def _topics() -> dict[str, str]:
    """Name the pages of the language by what they are about."""
    from aima.gateway.reference.language_pages import parts_of
    from aima.workflows.constructs import language

    own = {"": INDEX, "expressions": "language/expressions"}
    return own | {part.key: part.name for part in parts_of(language())}


def _page(topic: str) -> str:
    """Write a page; empty where there is none."""
    from aima.catalog import discover
    from aima.gateway.reference.language_pages import language_pages
    from aima.workflows.constructs import language

    if topic not in (topics := _topics()):
        return page_of(topic)
    return "\n".join(language_pages(language(), discover())[topics[topic]])


def _sentence(file: Path) -> dict[str, str]:
    _, root, _ = load(file.read_bytes(), file.name)
    told = to_json(root) if root is not None else None
    return {"about": str(told.get("description", ""))} if isinstance(told, dict) else {}
