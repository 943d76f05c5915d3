"""What a run returned: written to files, and printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from aima.errors import AimaError, Conflict, Forbidden, NotFound, ValidationFailed
from aima.gateway.cli.terminal import tint
from aima.settings import Settings

_WIDTH = 12


def check_targets(pairs: Iterable[str], known: Iterable[str] | None = None) -> dict[str, Path]:
    """Read ``key=file`` pairs and see, before any work is done, that they can be written.

    Args:
        pairs: as on the command line.
        known: the outputs there will be; None where nobody can tell before the run.

    Raises:
        ValidationFailed: a pair is none, or there will be no such output.
        NotFound: a file's folder does not exist.
        Conflict: a target is a folder.
        Forbidden: it may not be written.
    """
    import os

    from aima.gateway.cli.inputs import split_pair

    targets: dict[str, Path] = {}
    for pair in pairs:
        key, name = split_pair(pair)
        target = Path(name)
        if known is not None and key not in known:
            raise ValidationFailed(f"-o {pair}: {_no_output(key, known)}")
        if not name or target.is_dir():
            raise Conflict(f"-o {pair}: {name!r} is a folder; name a file")
        if not target.absolute().parent.is_dir():
            raise NotFound(f"-o {pair}: there is no folder {str(target.parent)!r}; make it first")
        if not os.access(target if target.exists() else target.absolute().parent, os.W_OK):
            raise Forbidden(f"-o {pair}: {name!r} may not be written")
        targets[key] = target
    return targets


def write(
    output: Any,  # noqa: ANN401 - any JSON
    targets: Mapping[str, Path],
    settings: Settings,
) -> dict[str, AimaError]:
    """Write outputs to their files, as many as can be; give what went wrong with the others.

    Text is written as it is, bytes come from the store, all else is written as JSON.
    """
    failures = {}
    for key, target in targets.items():
        try:
            _write(output, key, target, settings)
        except AimaError as error:
            failures[key] = error
    return failures


def show(output: Any, written: Mapping[str, Path]) -> None:  # noqa: ANN401 - any JSON
    """Print an output for people, a line for each name."""
    from aima.dsl.render import escaped

    if not isinstance(output, dict):
        click.echo(_text(output))
        return
    for key, value in output.items():
        label = tint(f"{escaped(key):<{_WIDTH}}", bold=True)
        said = _said(key, value, written).replace("\n", "\n" + " " * (_WIDTH + 3))
        click.echo(f"  {label} {said}")


def is_artifact(value: object) -> bool:
    """Tell whether a value is a reference to bytes."""
    return isinstance(value, dict) and set(value) == {"artifact", "media_type", "bytes"}


def _write(output: Any, key: str, target: Path, settings: Settings) -> None:  # noqa: ANN401 - any JSON
    from aima.disk import told
    from aima.ports.artifacts import Artifact
    from aima.stores import artifacts_of

    if not isinstance(output, dict) or key not in output:
        raise ValidationFailed(_no_output(key, output if isinstance(output, dict) else ()))
    value = output[key]
    if is_artifact(value):
        artifacts_of(settings).copy_to(Artifact.model_validate(value), target)
        return
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    with told(target):
        target.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _no_output(key: str, known: Iterable[str]) -> str:
    from aima.dsl.nearest import nearest

    names = list(known)
    near = nearest(key, names)
    hint = f"did you mean {near!r}?" if near else f"there is {', '.join(names) or 'none'}"
    return f"the run has no output {key!r}; {hint}"


def _said(key: str, value: Any, written: Mapping[str, Path]) -> str:  # noqa: ANN401 - any JSON
    if is_artifact(value):
        size = f"{value['media_type']}, {value['bytes'] / 1000:,.0f} KB"
        hint = f"keep it with -o {key}=FILE"
        return f"{written[key]} ({size})" if key in written else f"{size}; {hint}"
    return _text(value) or '""'


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    from aima.dsl.render import escaped

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "\n".join(escaped(line) for line in text.splitlines())
