"""All units of this process: AIMA's own, the project's, and those of installed packages."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import ModuleInfo
from traceback import extract_tb
from types import ModuleType

from aima.dsl.nearest import nearest
from aima.dsl.signature import Signature
from aima.errors import Conflict, InvalidRequest, UnitNotFound
from aima.unit import Domain, Kind, Shown, Unit

ENTRY_POINT = "aima.units"


@dataclass(frozen=True)
class Catalog:
    """The units by name, and the resources that show what they say, by address."""

    units: Mapping[str, Unit]
    resources: Mapping[str, Shown] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Unit]:
        """Walk the units in the order of their names."""
        return iter(self.units.values())

    def signatures(self) -> dict[str, Signature]:
        """Give what the language needs to know of each unit."""
        return {unit.name: _signature(unit) for unit in self}

    def get(self, name: str) -> Unit:
        """Give the unit of this name.

        Raises:
            UnitNotFound: there is none; the message names the nearest.
        """
        if name in self.units:
            return self.units[name]
        near = nearest(name, self.units)
        hint = f"did you mean {near!r}?" if near else "`aima units` lists them"
        raise UnitNotFound(f"no unit is called {name!r}; {hint}")


def catalog_of(*domains: Domain) -> Catalog:
    """Make a catalogue of the given domains.

    Raises:
        Conflict: two domains declare the same unit, or the same resource.
    """
    units: dict[str, Unit] = {}
    resources: dict[str, Shown] = {}
    for domain in domains:
        for uri, shown in domain.resources.items():
            if uri in resources:
                raise Conflict(f"resource {uri!r} is declared by two domains; rename one")
            resources[uri] = shown
        for name, unit in domain.units.items():
            if name in units:
                raise Conflict(
                    f"unit {name!r} is declared by {units[name].run.__module__!r} and by "
                    f"{unit.run.__module__!r}; rename one"
                )
            units[name] = unit
    return Catalog(dict(sorted(units.items())), dict(sorted(resources.items())))


def discover(project: Path | None = None) -> Catalog:
    """Find all units: the ``activities`` namespace package and the entry point ``aima.units``.

    Args:
        project: folder whose own ``activities/`` joins; None imports no code of a project.

    Raises:
        Conflict: two modules declare the same unit, or one hides the others.
    """
    if project is not None and str(project) not in sys.path:
        sys.path.append(str(project))
        importlib.invalidate_caches()
    return catalog_of(*_domains())


def _signature(unit: Unit) -> Signature:
    return Signature(
        name=unit.name,
        input=unit.input.model_json_schema(),
        output=unit.sent_schema(),
        timeout=unit.timeout,
        retry=unit.retry,
        idempotent=unit.idempotent,
        pure=unit.kind is Kind.QUERY,
    )


def _domains() -> list[Domain]:
    import activities

    if (file := vars(activities).get("__file__")) is not None:
        raise Conflict(
            f"{file!r} hides AIMA's own units; remove it, so that the folder joins the "
            "namespace package `activities`"
        )
    modules: list[ModuleType] = [
        _imported(found)
        for found in sorted(pkgutil.iter_modules(activities.__path__), key=lambda m: m.name)
    ]
    domains = [d for module in modules for d in _domains_in(module)]
    for point in entry_points(group=ENTRY_POINT):
        loaded = point.load()
        domains += [loaded] if isinstance(loaded, Domain) else _domains_in(loaded)
    return list({id(domain): domain for domain in domains}.values())


def _imported(found: ModuleInfo) -> ModuleType:
    """Import a module of units.

    Raises:
        InvalidRequest: it cannot be imported; the message names its file and line.
    """
    try:
        return importlib.import_module(f"activities.{found.name}")
    except (Exception, SystemExit) as error:  # a module of a user's may raise anything
        spec = found.module_finder.find_spec(found.name, None)
        file = (spec and spec.origin) or found.name
        lines = [f.lineno for f in extract_tb(error.__traceback__) if f.filename == file]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        raise InvalidRequest(
            f"{file}:{line or 1} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _domains_in(module: ModuleType) -> list[Domain]:
    return [value for value in vars(module).values() if isinstance(value, Domain)]
