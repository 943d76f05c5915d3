"""What the settings say of an engine that AIMA starts, checked before anything is done."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aima.disk import told
from aima.errors import Conflict, ValidationFailed
from aima.ports.engine_lifecycle import Product
from aima.settings import Engine, EngineRun

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHOSEN = "version"
_MOST_CHARACTERS = 500
"""Of a line: what an engine writes is told in errors, and those are kept with the run."""

_LEAST_SECRET = 4
"""A shorter value is no secret, and to hide it would tear words apart."""


@dataclass(frozen=True)
class Setup:
    """An engine that AIMA starts.

    Attributes:
        folder: where its environment, its record and its log are.
        host: the address of this machine on which it listens.
        key: what its callers must send.
    """

    name: str
    product: Product
    run: EngineRun
    folder: Path
    host: str
    port: int
    key: str = field(default="", repr=False)

    def model(self, asked: str) -> str:
        """Tell which model to serve.

        Raises:
            ValidationFailed: what is asked for would be read as an option.
        """
        model = asked or self.run.model
        if model.startswith("-") or not model.isprintable():
            raise ValidationFailed(f"{model!r} is no name of a model")
        return model

    def command(self, template: Sequence[str], **places: str) -> list[str]:
        """Write the whole command: the product's own, and what the settings add.

        Raises:
            ValidationFailed: it needs a model and there is none, or takes none and there is one.
        """
        if places["model"] and not any("{model}" in part for part in template):
            raise ValidationFailed(
                f"engine {self.name!r} is started without a model; engine.load brings one in"
            )
        return [*self.filled(template, **places), *self.run.arguments]

    def filled(self, template: Iterable[str], **places: str) -> tuple[str, ...]:
        """Fill the places of a command in, each within its own argument.

        Raises:
            ValidationFailed: it needs a model and there is none.
        """
        given = {"host": self.host, "port": str(self.port), **places}
        return tuple(self._filled(part, given) for part in template)

    def environment(self, **places: str) -> dict[str, str]:
        """Give the variables that it gets."""
        recipe = self.product.recipe
        values = self.filled(recipe.environment.values(), **places)
        named = dict(zip(recipe.environment, values, strict=True))
        if recipe.key_variable and self.key:
            named[recipe.key_variable] = self.key
        for key, value in self.run.environment.items():
            named[key] = value.get_secret_value()
        return named

    def digest(self, *parts: object) -> str:
        """Name what was started, so that another wish for the same engine is noticed.

        Values of variables are left out: they may be secret, and few guesses would find them.
        """
        said = [*parts, self.host, self.port, sorted(self.environment())]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def version(self, asked: str) -> str:
        """Tell which version to bring.

        Raises:
            ValidationFailed: what is asked for is none.
            Conflict: the settings say another.
        """
        said = self.run.version
        for version in filter(None, (asked, said)):
            if not _VERSION.fullmatch(version):
                raise ValidationFailed(f"engine {self.name!r}: {version!r} is no version")
        if asked and said and asked != said:
            raise Conflict(
                f"engine {self.name!r} is set to version {said!r}, not {asked!r}; change "
                f"[engines.{self.name}.run] version"
            )
        return asked or said

    def choose(self, version: str) -> None:
        """Remember which version was brought last; it is started where the settings say none."""
        with told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / _CHOSEN).write_text(version)

    def chosen(self) -> str:
        """Tell which version to start."""
        with suppress(FileNotFoundError):
            return self.run.version or (self.folder / _CHOSEN).read_text()
        return ""

    def hidden(self, text: str) -> str:
        """Take the secrets out of a line that it wrote, and what would steer a terminal."""
        secrets = [value.get_secret_value() for value in self.run.environment.values()]
        for secret in (self.key, *secrets):
            if len(secret) >= _LEAST_SECRET:
                text = text.replace(secret, "***")
        return "".join(char if char.isprintable() else " " for char in text)[:_MOST_CHARACTERS]

    def _filled(self, part: str, given: Mapping[str, str]) -> str:
        if "{model}" in part and not given.get("model", "-"):
            raise ValidationFailed(
                f"engine {self.name!r} must be told what to serve; say [engines.{self.name}.run] "
                "model = …, or config.model of engine.start"
            )
        return re.sub(r"\{(\w+)\}", lambda place: given.get(place[1], place[0]), part)


def setup_of(name: str, said: Engine, product: Product, data: Path) -> Setup | None:
    """Read the settings of an engine; None where they do not say that AIMA starts it.

    Raises:
        ValidationFailed: they say something that cannot be done.
    """
    if said.run is None:
        return None
    problem = _problem(name, said, said.run, product)
    if problem:
        raise ValidationFailed(f"setting 'engines.{name}': {problem}")
    host, port = _address(said.url) or ("", 0)
    key = said.api_key.get_secret_value()
    folder = data.resolve() / "engines" / name
    return Setup(name, product, said.run, folder, host, port, key)


def _problem(name: str, said: Engine, run: EngineRun, product: Product) -> str:
    """Say what is wrong, if anything is."""
    if not _NAME.fullmatch(name):
        return "an engine that AIMA starts needs a name of letters, digits, '-', '_' and '.'"
    if _address(said.url) is None:
        return (
            f"AIMA starts engines on this machine only, and {said.url!r} is not a loopback "
            "address with a port; write http://127.0.0.1:PORT"
        )
    if not (run.way == "program" and run.command) and not getattr(product.recipe, run.way):
        ways = [way for way in ("container", "package", "program") if getattr(product.recipe, way)]
        can = " or ".join(map(repr, ways)) or "'program' with a command of your own"
        return f"no {run.way} of {product.title} is known; write run.way = {can}"
    return _mistake(run)


def _mistake(run: EngineRun) -> str:
    """Say what is wrong in how it is run, whatever it is."""
    if run.command and run.way != "program":
        return f"run.command is for way 'program', not {run.way!r}"
    if away := [str(folder) for folder in run.volumes if not folder.is_absolute()]:
        return f"run.volumes names {away[0]!r}, which is no absolute path"
    if wrong := [key for key in run.environment if not _VARIABLE.fullmatch(key)]:
        return f"{wrong[0]!r} is no name of a variable"
    return ""


def _address(url: str) -> tuple[str, int] | None:
    """Read host and port of a URL of this machine; None of any other."""
    try:
        parts = urlsplit(url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        return (host, parts.port) if ip_address(host).is_loopback and parts.port else None
    except ValueError:
        return None
