"""The plan: a workflow as plain data, frozen and hashed, that a run carries with it.

A plan imports nothing. It is compact JSON; its hash is the SHA-256 of that text. Keys stand in
the order in which the compiler writes them, which is the author's where he chose it: the order
of keys is seen by whoever prints a map. The format has a version: an interpreter runs plans of
every version it names in ``READABLE``.

======== =====================================================================================
key      meaning
======== =====================================================================================
format   version of this format
name     name of the workflow
version  the author's version of it
labels   ``key=value`` texts
inputs   JSON Schema of the run's input, or null
config   default values
steps    the steps: ``id``, ``body``, ``at`` ``[line, column]``, ``places`` of its expressions,
         ``after`` (ids it waits for), and what its body and modifiers compiled to
output   compiled value of the run's result, or null: the steps' outputs by id
places   of the expressions in ``output``, see :mod:`aima.dsl.places`
======== =====================================================================================
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from aima.dsl.json import Json

FORMAT = 1
READABLE = frozenset({1})


@dataclass(frozen=True)
class Plan:
    """A compiled workflow."""

    data: dict[str, Json]

    @property
    def name(self) -> str:
        """The workflow's name."""
        return str(self.data["name"])

    @property
    def version(self) -> str:
        """The author's version of it, empty where he gave none."""
        return str(self.data["version"])

    @cached_property
    def text(self) -> str:
        """The plan as canonical JSON."""
        return json.dumps(self.data, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def hash(self) -> str:
        """Name this plan by its content: ``sha256:…``."""
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()
