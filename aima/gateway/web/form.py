"""The form for a run: a field for each input that a workflow declares, as its schema wants it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from aima.dsl.types import ARTIFACT, Type
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.runs.form_parts import Part
from aima.gateway.runs.inputs import RunInput
from aima.gateway.web.words import pretty

INPUT, CONFIG, EXAMPLE = "input.", "config.", "example."
WHOLE = f"{INPUT}*"
"""The only field where a workflow does not say what it takes: all of the input as JSON."""

_NEEDED = "This is needed."
_SHORT_TEXT = 120  # characters; longer ones are written into a larger box
_KINDS = {"boolean": "boolean", "integer": "integer", "number": "number", "string": "text"}
_BOUNDS = {"minimum": "min", "maximum": "max", "minLength": "minlength", "maxLength": "maxlength"}


@dataclass(frozen=True)
class Field:
    """A field of the form.

    Attributes:
        name: what the form calls it.
        key: the input or config value that it gives.
        kind: ``text``, ``line``, ``integer``, ``number``, ``boolean``, ``choice``, ``file`` or
            ``json``.
        value: what stands in it at first.
        accept: the files it takes, as a browser wants it.
        bounds: attributes for the browser.
        example: the file of the workflow's example.
    """

    name: str
    key: str
    kind: str
    type: Type
    required: bool = False
    description: str = ""
    value: str = ""
    choices: tuple[str, ...] = ()
    accept: str = ""
    several: bool = False
    bounds: Mapping[str, str] = field(default_factory=dict)
    example: str = ""

    @property
    def records(self) -> bool:
        """Tell whether a recording from the microphone will do."""
        return self.kind == "file" and self.accept.startswith("audio/")


@dataclass(frozen=True)
class Filled:
    """A form as it was sent.

    Attributes:
        texts: what was written into its fields, by name.
        errors: what is wrong with them, by name.
    """

    input: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def fields_of(plan: Mapping[str, Any], example_file: Callable[[str], Path | None]) -> list[Field]:
    """Make the fields of a plan's inputs; ``example_file`` finds the file of an example."""
    schema = plan["inputs"]
    if not isinstance(schema, dict):
        return [Field(WHOLE, "", "json", Type.of({}), description="As JSON.", value="{}")]
    whole = Type.of(schema)
    needed = whole.resolved().schema.get("required", ())
    examples = schema.get("examples")
    example = examples[0] if isinstance(examples, list) and examples else {}
    return [
        _field(key, whole.child(key) or Type.of({}), key in needed, example.get(key), example_file)
        for key in whole.fields()
    ]


def config_of(plan: Mapping[str, Any]) -> list[Field]:
    """Make the fields of a plan's config."""
    return [
        Field(f"{CONFIG}{key}", key, _kind_of_value(value), Type.of({}), value=pretty(value))
        for key, value in plan["config"].items()
    ]


def _field(
    key: str,
    wanted: Type,
    required: bool,  # noqa: FBT001 - private, always by position
    example: Any,  # noqa: ANN401 - any JSON
    example_file: Callable[[str], Path | None],
) -> Field:
    schema = wanted.resolved().schema
    kinds = wanted.kinds() - {"null"}
    several = kinds == {"array"} and wanted.item().kinds() == {ARTIFACT}
    kind = _kind(schema, kinds, several=several)
    begins = schema.get("default", example)
    file = example_file(example[1:]) if kind == "file" and _is_file(example) else None
    media = (wanted.item() if several else wanted).resolved().schema.get("contentMediaType", "")
    return Field(
        name=f"{INPUT}{key}",
        key=key,
        kind=kind,
        type=wanted,
        required=required,
        description=str(schema.get("description", "")),
        value="" if begins is None or kind == "file" else pretty(begins),
        choices=tuple(map(pretty, schema.get("enum", ()))),
        accept=str(media) if kind == "file" else "",
        several=several,
        bounds={_BOUNDS[name]: str(schema[name]) for name in _BOUNDS if name in schema},
        example=file.name if file is not None else "",
    )


def _kind(schema: Mapping[str, Any], kinds: frozenset[str], *, several: bool) -> str:
    if several or kinds == {ARTIFACT}:
        return "file"
    if isinstance(schema.get("enum"), list):
        return "choice"
    kind = _KINDS.get(next(iter(kinds)), "json") if len(kinds) == 1 else "json"
    if kind == "text" and ("pattern" in schema or schema.get("maxLength", 999) <= _SHORT_TEXT):
        return "line"
    return "number" if kinds == {"integer", "number"} else kind


def _kind_of_value(value: Any) -> str:  # noqa: ANN401 - any JSON
    short = isinstance(value, str) and len(value) <= _SHORT_TEXT and "\n" not in value
    return "line" if short else "text" if isinstance(value, str) else "json"


def _is_file(example: object) -> bool:
    return isinstance(example, str) and example.startswith("@")


@dataclass(frozen=True)
class Reader:
    """Reads a form that was sent.

    Attributes:
        example: gives the bytes of a field's example.
    """

    fields: list[Field]
    config: list[Field]
    files: RunInput
    example: Callable[[Field], AsyncIterator[bytes]]

    async def read(self, parts: AsyncIterator[Part]) -> Filled:
        """Read it; files are in the store when this returns, and what is wrong is told.

        Raises:
            TooLarge: a field or a file is.
        """
        filled = Filled()
        known = {one.name: one for one in (*self.fields, *self.config)}
        examples = {f"{EXAMPLE}{one.key}": one for one in self.fields if one.example}
        async for part in parts:
            one = known.get(part.name)
            if one is not None and one.kind == "file":
                await self._take_file(one, part, filled)
            elif one is not None:
                filled.texts[one.name] = await part.text(MOST_BODY_BYTES)
            elif part.name in examples:
                wanted = examples[part.name]
                kept = await self.files.keep(self.example(wanted), wanted.example)
                filled.input.setdefault(wanted.key, kept.model_dump())
        for one in known.values():
            self._take(one, filled)
        return filled

    async def _take_file(self, one: Field, part: Part, filled: Filled) -> None:
        if not part.filename:
            return  # none was chosen
        kept = (await self.files.keep(part.chunks(), part.filename)).model_dump()
        if one.several:
            filled.input.setdefault(one.key, []).append(kept)
        else:
            filled.input[one.key] = kept

    def _take(self, one: Field, filled: Filled) -> None:
        """Take over what stands in a field, or what is wrong with it."""
        is_config = one.name.startswith(CONFIG)
        values = filled.config if is_config else filled.input
        if one.kind == "file":
            if one.required and one.key not in values:
                filled.errors[one.name] = _NEEDED
            return
        try:
            given = list(_value(one, filled.texts.get(one.name)))
        except ValueError as error:
            filled.errors[one.name] = str(error)
            return
        if not given:
            if one.required:
                filled.errors[one.name] = _NEEDED
        elif one.name == WHOLE:
            filled.input.update(given[0] if isinstance(given[0], dict) else {})
        elif not is_config or pretty(given[0]) != one.value:
            values[one.key] = given[0]
            wrong = next(iter(one.type.validator.iter_errors(given[0])), None)
            if wrong is not None:
                filled.errors[one.name] = f"{wrong.message[:1].upper()}{wrong.message[1:]}."


def _value(one: Field, text: str | None) -> Iterator[Any]:
    """Give the value that a field's text means; nothing where it is empty.

    Raises:
        ValueError: it means none.
    """
    if one.kind == "boolean":
        if text is not None or one.required or one.value == "true":
            yield text is not None
    elif text is None or not text.strip():
        return
    elif one.kind in ("text", "line"):
        yield text.replace("\r\n", "\n")
    elif one.kind == "choice":
        chosen = [v for v in one.type.resolved().schema["enum"] if pretty(v) == text]
        if not chosen:
            raise ValueError("This is not one of the choices.")
        yield chosen[0]
    elif one.kind in ("integer", "number"):
        yield _number(text, whole=one.kind == "integer")
    else:
        yield _json(text, wants_object=one.name == WHOLE)


def _number(text: str, *, whole: bool) -> int | float:
    try:
        return int(text) if whole or text.strip().lstrip("-").isdecimal() else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"Write {kind} here.") from None


def _json(text: str, *, wants_object: bool) -> Any:  # noqa: ANN401 - any JSON
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"This is no JSON: {error}.") from None
    if wants_object and not isinstance(value, dict):
        raise ValueError(f"Write a map, such as {json.dumps({'key': 'value'})}.")
    return value
