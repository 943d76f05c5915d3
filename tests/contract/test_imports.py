"""Imports point one way, as the layout of the repository is drawn; see CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

MAY_IMPORT = {
    "aima": "",
    "aima.errors": "",
    "aima.blocking": "",
    "aima.mistakes": "aima.errors",
    "aima.regex": "",
    "aima.trace": "",
    "aima.json_schema": "aima.regex",
    "aima.media_type": "",
    "aima.passages": "",
    "aima.records": "aima.errors",
    "aima.runlog": "",
    "aima.disk": "aima.errors",
    "aima.media": "aima.errors",
    "aima.recording": "aima.errors",
    "aima.subtitles": "",
    "aima.sentences": "",
    "aima.media_image": "aima.errors",
    "aima.addresses": "",
    "aima.settings": "aima.addresses aima.errors",
    "aima.outbound": "aima.addresses aima.errors aima.settings",
    "aima.ports": "aima.errors",
    "aima.resources.uri": "aima.errors",
    "aima.absent": "",
    "aima.unit": "aima.absent aima.errors aima.ports aima.resources.uri",
    "aima.resources": "aima.dsl aima.errors aima.models aima.ports aima.resources.uri aima.unit",
    "aima.prompts": "aima.dsl aima.errors aima.settings aima.shipped",
    "aima.asked": "aima.errors aima.ports aima.unit",
    "aima.engine_events": "aima.errors aima.ports aima.unit",
    "aima.batches": "aima.errors aima.ports",
    "aima.spoken": "aima.blocking aima.ports aima.recording aima.sentences aima.unit",
    "activities": "aima.asked aima.batches aima.blocking aima.engine_events aima.errors aima.media "
    "aima.media_image aima.passages aima.ports aima.prompts aima.records aima.spoken aima.unit",
    "aima.dsl": "aima.errors aima.json_schema aima.regex",
    "aima.workflows": "aima.dsl aima.errors",
    "aima.graph": "aima.dsl",
    "aima.catalog": "activities aima.dsl aima.errors aima.unit",
    "aima.artifacts": "aima.blocking aima.disk aima.errors aima.media_type aima.ports",
    "aima.models": "aima.errors",
    "aima.store": "aima.blocking aima.disk aima.errors",
    "aima.embedded": "aima.errors aima.media_image aima.models aima.recording aima.settings "
    "aima.subtitles",
    "aima.adapters": "aima.blocking aima.disk aima.errors aima.json_schema aima.media "
    "aima.media_image aima.ports aima.settings",
    "aima.routing": "aima.errors aima.ports aima.settings",
    "aima.streams": "aima.errors",
    "aima.meters": "aima.errors",
    "aima.temporal": "aima.artifacts aima.blocking aima.dsl aima.errors aima.meters "
    "aima.mistakes aima.ports aima.settings aima.store aima.streams aima.trace aima.unit "
    "aima.workflows",
    "aima.stores": "aima.artifacts aima.models aima.runlog aima.settings aima.store aima.temporal",
    "aima.shipped": "aima.dsl aima.errors",
    "aima.stack": "aima.errors aima.settings aima.temporal",
    # Where settings, adapters and units meet:
    "aima.connections": "",
    "aima.engines": "aima.adapters aima.connections aima.ports aima.routing aima.settings "
    "aima.stores aima.trace",
    "aima.observing": "aima.blocking aima.errors aima.models aima.ports aima.store",
    "aima.worker": "aima.adapters aima.blocking aima.catalog aima.engines aima.errors "
    "aima.observing aima.ports aima.settings aima.shipped aima.stack aima.stores aima.streams "
    "aima.temporal",
    "aima.testing.engines": "",
    "aima.testing": "aima.adapters aima.errors aima.ports aima.routing aima.settings "
    "aima.testing.engines aima.unit",
    # The doors, and what opens them:
    "aima.gateway": "aima aima.artifacts aima.blocking aima.catalog aima.disk aima.dsl "
    "aima.errors aima.graph aima.media_type aima.mistakes aima.outbound aima.ports "
    "aima.recording aima.resources aima.resources.uri aima.routing "
    "aima.settings aima.shipped aima.stack aima.store aima.stores aima.streams aima.subtitles "
    "aima.temporal aima.trace aima.unit aima.worker aima.workflows",
    # An agent's door is a client of the API: it knows neither Temporal nor the store.
    "aima.gateway.mcp": "aima aima.blocking aima.catalog aima.dsl aima.errors aima.gateway "
    "aima.mistakes aima.ports aima.prompts aima.settings aima.shipped aima.stack aima.trace "
    "aima.unit aima.workflows",
    "aima.stack.supervisor": "aima.blocking aima.errors aima.gateway aima.meters aima.settings "
    "aima.stack aima.stack.door aima.stores aima.temporal",
    "aima.stack.door": "aima.blocking aima.engines aima.errors aima.gateway "
    "aima.gateway.mcp aima.meters aima.outbound aima.resources aima.routing aima.settings "
    "aima.stack aima.stores aima.streams aima.temporal aima.worker",
    "aima.lsp": "aima aima.dsl aima.errors aima.gateway aima.unit aima.workflows",
    "aima.trial": "aima.artifacts aima.catalog aima.disk aima.dsl aima.errors aima.gateway "
    "aima.temporal aima.workflows",
    "aima.client": "aima.errors aima.gateway.cli aima.settings aima.stack",
    "aima.gateway.cli": "aima aima.disk aima.dsl aima.embedded aima.engines aima.errors "
    "aima.gateway aima.gateway.mcp aima.graph aima.lsp aima.ports aima.prompts aima.settings "
    "aima.shipped aima.stack aima.stack.supervisor aima.stores aima.temporal aima.trial "
    "aima.worker aima.workflows",
    "aima.gateway.reference.write": "aima.catalog aima.dsl aima.engines aima.errors aima.gateway "
    "aima.gateway.cli aima.settings aima.shipped aima.stack.door aima.testing.engines aima.trial "
    "aima.workflows",
    "aima.gateway.reference.__main__": "aima.gateway.reference.write",
    "aima.__main__": "aima.gateway.cli",
}
"""What each part may import besides itself. A module belongs to the longest name it starts with."""

LIBRARIES_OF_OTHERS = {
    "activities": {"temporalio", "starlette", "sqlalchemy", "click", "httpx2"},
    "aima.dsl": {"temporalio", "starlette", "sqlalchemy", "click", "httpx2"},
    "aima.workflows": {"starlette", "sqlalchemy", "click", "httpx2"},
    "aima.ports": {"temporalio", "starlette", "sqlalchemy", "click", "httpx2"},
    "aima.errors": {"temporalio", "starlette", "sqlalchemy", "click", "httpx2", "pydantic"},
}
"""Libraries that a part must not know: what wraps them is elsewhere."""

HEAVY = {"temporalio", "pydantic", "sqlalchemy", "onnxruntime", "starlette", "httpx2", "numpy"}
"""Each takes longer to import than the whole of ``aima --help`` may take."""

CALLS_OUT = {
    "aima.outbound": "addresses that came with data, and therefore guarded",
    "aima.adapters.engines": "engines of the settings",
    "aima.engines": "the client of those engines",
    "aima.connections": "what that client sends and receives over",
    "aima.embedded.chat": "the embedded engine asks llama.cpp, which it started",
    "aima.streams.publisher": "a worker asks its own door",
    "aima.worker": "makes these clients",
    "aima.stack.door": "makes the client for the engines",
    "aima.gateway.cli.stack_client": "the command line asks its own door",
    "aima.gateway.mcp": "an agent's door asks its own API",
    "aima.models.hub": "model files that AIMA's own list names",
}
"""Who speaks HTTP to others, and to whom: an address of a user goes through the first of these."""

HTTP = re.compile(
    r"^\s*(?:from|import) "
    r"(?:aiohttp|http\.client|httpcore2|httpx2?|requests|urllib\.request|urllib3)\b",
    re.MULTILINE,
)

SOURCES = sorted([*REPOSITORY.glob("aima/**/*.py"), *REPOSITORY.glob("activities/*.py")])


def test_every_import_is_an_arrow_of_the_drawing() -> None:
    """A shortcut across the layers is how a code base becomes a ball of mud."""
    wrong = [
        f"{file.relative_to(REPOSITORY)}:{line} ({part(module)}) imports {name}"
        for file in SOURCES
        for module in [module_name(file)]
        for line, name in imports(file)
        if name.split(".")[0] in ("aima", "activities")
        and part(name) not in (part(module), *MAY_IMPORT[part(module)].split())
    ]
    assert not wrong, "\n".join(["these arrows are not drawn:", *wrong])


def test_nobody_else_calls_out() -> None:
    """A second way out would have no guard."""
    callers = {module_name(file) for file in SOURCES if HTTP.search(file.read_text("utf-8"))}
    known = {m for m in callers for way in CALLS_OUT if f"{m}.".startswith(f"{way}.")}
    known |= {m for m in callers if m.startswith("aima.testing.")}  # fakes, for users' own tests
    assert callers - known == set()
    assert all(any(f"{m}.".startswith(f"{way}.") for m in callers) for way in CALLS_OUT)


def test_the_drawing_has_no_circle() -> None:
    """Parts that need each other are one part under two names."""
    drawn = {name: allowed.split() for name, allowed in MAY_IMPORT.items()}
    try:
        TopologicalSorter(drawn).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' → '.join(error.args[1])}")


def test_only_the_roots_know_the_adapters() -> None:
    """A product that is replaced is replaced in one place."""
    know = {name for name, allowed in MAY_IMPORT.items() if "aima.adapters" in allowed.split()}
    assert "aima.worker" in know <= {"aima.engines", "aima.worker", "aima.testing"}


def test_a_running_workflow_depends_on_no_unit() -> None:
    """A plan outlives the code of its units; what interprets it must not import them."""
    assert not {"activities", "aima.unit", "aima.catalog"} & set(
        MAY_IMPORT["aima.workflows"].split()
    )


def test_every_part_of_the_code_is_in_the_drawing() -> None:
    """A new package without a place would be allowed everything or nothing."""
    unknown = {module for module in map(module_name, SOURCES) if part(module) == "aima" != module}
    assert not unknown, f"give these a line in MAY_IMPORT: {sorted(unknown)}"


@pytest.mark.parametrize("layer", LIBRARIES_OF_OTHERS)
def test_a_layer_knows_only_its_own_libraries(layer: str) -> None:
    """Units without a transport and a language without an engine can be tested and moved."""
    wrong = [
        f"{file.relative_to(REPOSITORY)}:{line} imports {name}"
        for file in SOURCES
        if part(module_name(file)) == layer
        for line, name in imports(file)
        if name.split(".")[0] in LIBRARIES_OF_OTHERS[layer]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_help_page_imports_no_heavy_library() -> None:
    """`aima --help` answers at once; one careless import at the top of a module ends that."""
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "aima", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in shown.stderr.splitlines()}
    assert "click" in loaded, "the list of imports was not read"
    assert not loaded & HEAVY


def part(name: str) -> str:
    """Give the part of the drawing that a module belongs to."""
    candidates = (known for known in MAY_IMPORT if f"{name}.".startswith(f"{known}."))
    return max(candidates, key=len)


def module_name(file: Path) -> str:
    """Give the dotted name of a source file."""
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Find what a file imports when it runs; what only type checkers see does not count."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports here are absolute"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            # `from aima import errors` names a part; `from aima.errors import X` a thing in one.
            parts = [name for name in names if name in MAY_IMPORT]
            yield from ((node.lineno, name) for name in parts or [str(node.module)])
