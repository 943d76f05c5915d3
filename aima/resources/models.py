"""The models of this machine, and which engine runs which kind of them, as resources."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Protocol

from aima.errors import ModelNotFound
from aima.models.manifest import Model
from aima.models.notes import Pulling, Verified
from aima.ports.engine_lifecycle import Product
from aima.resources.resource import Data, Resource, Values
from aima.resources.uri import Template
from aima.unit import Members

PERMISSION = "model:read"
_ONE = "asms://model/{id}"
_FORMATS = {".gguf": "gguf", ".onnx": "onnx", ".safetensors": "safetensors"}


class Stored(Protocol):
    """A model, and whether it is here."""

    @property
    def model(self) -> Model:
        """Tell what it is."""
        ...

    @property
    def present(self) -> bool:
        """Tell whether all its files are here."""
        ...

    @property
    def pulling(self) -> Pulling | None:
        """Tell how far a pull is that goes on."""
        ...

    @property
    def verified(self) -> Verified | None:
        """Tell what came of the last comparison with its checksums."""
        ...


class Models(Protocol):
    """The models that there are."""

    def list(self) -> Sequence[Stored]:
        """List them."""
        ...


def model_resources(models: Models, products: Iterable[Product]) -> list[Resource]:
    """Make the resources of the registry, and of what goes with what."""
    compatible = _compatible(products)

    async def registry(_: Values) -> Data:
        found = await asyncio.to_thread(models.list)
        return {"items": [_told(stored) for stored in found], "total": len(found)}

    async def one(values: Values) -> Data:
        for stored in await asyncio.to_thread(models.list):
            if stored.model.name == values["id"]:
                return _told(stored)
        raise ModelNotFound(f"there is no model {values['id']!r}; `aima models` lists them")

    async def compatibility(_: Values) -> Data:
        return {"items": compatible}

    return [
        Resource(
            Template.parse("asms://models/registry"),
            "The models that can be fetched, and whether they are here",
            PERMISSION,
            registry,
            Members("items", "id", _ONE),
        ),
        Resource(Template.parse(_ONE), "A model", PERMISSION, one),
        Resource(
            Template.parse("asms://models/compatibility"),
            "Which kind of engine runs which types of models, in which formats",
            PERMISSION,
            compatibility,
            interval_seconds=60.0,
        ),
    ]


def _told(stored: Stored) -> Data:
    model = stored.model
    suffixes = (PurePath(file.path).suffix for file in model.files)
    status = "pulling" if stored.pulling else "ready" if stored.present else "absent"
    more: Data = {"pulling": asdict(stored.pulling)} if stored.pulling else {}
    more |= {"verified": stored.verified.valid} if stored.verified else {}
    return {
        "id": model.name,
        "name": model.name,
        "type": model.type,
        "format": next((_FORMATS[s] for s in suffixes if s in _FORMATS), None),
        "status": status,
        "size": model.bytes,
        "requirements": {"memory_bytes": model.memory_bytes},
        "description": model.description,
        "licence": model.licence,
        "languages": list(model.languages),
        "uses": list(model.uses),
        **more,
    }


def _compatible(products: Iterable[Product]) -> list[Data]:
    return [
        {"engine": product.kind, "type": type_, "format": format_}
        for product in products
        for type_ in product.types
        for format_ in product.formats or (None,)
    ]
