"""The reference of the workflow language: a page for each construct, written from its own file.

What a construct adds by being there is its page as well: its sentence and example come from its
docstring, its keys from its schema, its diagnostics from its check, its output from its example.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from aima.catalog import Catalog
from aima.dsl.check import Checked, Checker
from aima.dsl.diagnostic import CODES, Findings
from aima.dsl.language import Body, Language, Modifier, Section
from aima.dsl.types import Type, said
from aima.gateway.reference.construct_codes import (
    diagnostics_of,
    diagnostics_of_values,
    failures_of,
)
from aima.gateway.reference.construct_docs import ConstructDoc, doc_of
from aima.gateway.reference.expression_page import expression_page
from aima.gateway.reference.pages import code_link, table
from aima.gateway.reference.schema_words import Key, keys_in
from aima.gateway.reference.workflow_schema import DOCUMENT, STEP
from aima.gateway.workflows.definitions import Definitions

Construct: TypeAlias = Body | Modifier | Section

FOLDERS = {"bodies": "What a step does", "modifiers": "What any step can have"}
FOLDERS["document"] = "What a document says besides its steps"

_ANY_VALUE = "[what can be wrong with any value](../README.md#what-can-be-wrong-with-any-value)"
_KEYS = ("key", "type", "default", "meaning")


@dataclass(frozen=True)
class Part:
    """One construct: where its page lies, and what is on it."""

    folder: str
    key: str
    construct: Construct
    doc: ConstructDoc

    @property
    def name(self) -> str:
        """The page, as the reference names it."""
        return f"language/{self.folder}/{self.key}"


def parts_of(language: Language) -> list[Part]:
    """Give every construct, in the order of the reference."""
    found: list[tuple[str, str, Construct]] = []
    found += [("bodies", key, one) for key, one in language.bodies.items()]
    found += [("modifiers", key, one) for key, one in language.modifiers.items()]
    found += [("document", key, one) for key, one in language.sections.items()]
    return [Part(folder, key, one, doc_of(one)) for folder, key, one in sorted_by_key(found)]


def sorted_by_key(
    found: list[tuple[str, str, Construct]],
) -> list[tuple[str, str, Construct]]:
    """Order by the folders as they are told, then by key."""
    order = list(FOLDERS)
    return sorted(found, key=lambda one: (order.index(one[0]), one[1]))


def language_pages(language: Language, catalog: Catalog) -> dict[str, Iterable[str]]:
    """Give the pages of the language by their names in the reference."""
    parts = parts_of(language)
    definitions = Definitions(catalog)
    pages: dict[str, Iterable[str]] = {"language/README": _index(parts)}
    pages["language/expressions"] = expression_page()
    return pages | {part.name: _page(part, language, definitions) for part in parts}


def _index(parts: list[Part]) -> Iterator[str]:
    yield "# The workflow language\n"
    yield "A workflow is a YAML file with a `name` and `steps`. `aima check` tells what is wrong in"
    yield "one, `aima run` runs it, `aima test` tries it. Every key is on one of these pages, each"
    yield "with an example that the tests check and run; what stands in `${…}` is on"
    yield "[expressions](expressions.md).\n"
    yield "## The document\n"
    told = {key: schema.get("description", "") for key, schema in DOCUMENT.items()}
    rows = [(f"`{key}`", meaning) for key, meaning in told.items()]
    rows += [_row(part) for part in parts if part.folder == "document"]
    yield from table(("key", "meaning"), sorted(rows, key=_by_weight))
    yield "\n## A step\n"
    yield "A step has an `id` and exactly one body. Steps that read nothing of each other run side"
    yield "by side, in no order; a step waits for those it reads in `${steps.ID…}` and those in"
    yield "`depends_on`.\n"
    rows = [(f"`{key}`", schema["description"]) for key, schema in STEP.items()]
    yield from table(("key", "meaning"), rows)
    for folder in ("bodies", "modifiers"):
        yield f"\n### {FOLDERS[folder]}\n"
        yield from table(
            ("key", "meaning"), (_row(part) for part in parts if part.folder == folder)
        )
    yield "\n## What can be wrong with any value\n"
    yield "Every key whose value is computed can give these besides its own.\n"
    yield from table(
        ("code", "meaning"), ((code_link(c, ".."), CODES[c]) for c in diagnostics_of_values())
    )


def _row(part: Part) -> tuple[str, str]:
    return f"[`{part.key}`]({part.folder}/{part.key}.md)", part.doc.meaning


def _by_weight(row: tuple[str, ...]) -> int:
    """Put what every document has first."""
    first: tuple[str, ...] = ("`name`", "`description`", "`version`", "`steps`", "`output`")
    return first.index(row[0]) if row[0] in first else len(first)


def _page(part: Part, language: Language, definitions: Definitions) -> Iterator[str]:
    doc = part.doc
    yield f"# {part.key}\n\n{doc.meaning}\n"
    yield f"{doc.shape.replace('``', '`')}\n\n{doc.prose}\n"
    yield f"**Where:** {_where(part, language)}\n"
    yield "## Keys\n"
    yield "A key with `*` must be given where its map is.\n"
    yield from table(_KEYS, map(_key, keys_of(part)))
    yield from _example(doc)
    yield from _output(part, language, definitions)
    yield from _wrong(part)


def keys_of(part: Part) -> Iterator[Key]:
    """Give the keys of a construct, and those inside them."""
    schema = part.construct.schema()
    if part.folder == "bodies":
        for key, inner in schema.items():
            yield from keys_in(key, inner, required=key in (part.key, "steps"))
    else:
        root, *inside = keys_in(part.key, schema)
        yield replace(root, meaning=root.meaning or part.doc.meaning)
        yield from inside


def _key(key: Key) -> tuple[str, str, str, str]:
    star = "\\*" if key.required else ""
    return f"`{key.path}`{star}", key.type, key.default, key.meaning


def _where(part: Part, language: Language) -> str:
    one = part.construct
    if part.folder == "document":
        return "at the top of the document."
    if part.folder == "bodies":
        return "any step, as what it does."
    codes = diagnostics_of(one)
    told = "steps that run a unit" if "step/only-units" in codes else "any step"
    if part.key in language.sections["defaults"].schema()["properties"]:
        told += ", and [`defaults`](../document/defaults.md)"
    if part.key == "for_each":
        return f"{told}."
    per_item = getattr(one, "per_item", True)
    loop = "for each item by itself" if per_item else "for the loop as a whole"
    return f"{told}. Beside `for_each` it holds {loop}."


def _example(doc: ConstructDoc) -> Iterator[str]:
    yield f"\n## Example\n\n```yaml\n{doc.example}\n```\n"
    given, expected = doc.case, doc.case.get("expect", {})
    if expected.get("output"):
        ends = f"returns `{_json(expected['output'])}`"
    elif error := expected.get("error"):
        ends = f"fails with `{error['code']}`"
    else:
        return
    if "input" in given and "sha256" not in str(given["input"]):
        yield f"With the input `{_json(given['input'])}` it {ends}.\n"
    else:
        yield f"It {ends}.\n"


def _output(part: Part, language: Language, definitions: Definitions) -> Iterator[str]:
    """Tell what the step of the example leaves behind, as the checker sees it."""
    checked = definitions.check(part.doc.example, f"{part.key}.yaml")
    step = _step_with(part, checked) if part.folder != "document" else None
    if step is None:
        return
    kind = _checker(checked, language, definitions).output(step)
    fields = [(name, kind.child(name)) for name in kind.fields()]
    told = vars(type(part.construct)).get("output")
    if told is None:  # it leaves what the body leaves
        return
    meaning = (told.__doc__ or "").partition("\n")[0].removeprefix("Give ")
    yield f"## Output\n\n{meaning[:1].upper()}{meaning[1:]}\n"
    rows = [(f"`steps.{step}.{name}`", said(child or Type.of({}))) for name, child in fields]
    if rows:
        yield "In the example:\n"
        yield from table(("path", "type"), rows)
    yield ""


def _step_with(part: Part, checked: Checked) -> str | None:
    document = checked.document
    steps = document.all_steps if document is not None else ()
    own = (s.id for s in steps if (s.body if part.folder == "bodies" else part.key) == part.key)
    having = (s.id for s in steps if s.get(part.key) is not None)
    return next(own if part.folder == "bodies" else having, None)


def _checker(checked: Checked, language: Language, definitions: Definitions) -> Checker:
    assert checked.document is not None  # noqa: S101 - a test checks every example
    findings = Findings(checked.source.file)
    return Checker.of(checked.document, definitions.signatures, findings, language=language)


def _wrong(part: Part) -> Iterator[str]:
    codes, failures = diagnostics_of(part.construct), failures_of(part.construct)
    if codes:
        yield "## What `aima check` can find\n"
        yield from table(("code", "meaning"), ((code_link(c, "../.."), CODES[c]) for c in codes))
        yield f"\nBesides, {_ANY_VALUE}.\n"
    if failures:
        links = ", ".join(f"[`{code}`](../../errors.md)" for code in failures)
        yield f"## What it can fail with\n\n{links}\n"


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value, ensure_ascii=False)
