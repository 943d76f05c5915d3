"""Prompt templates: Jinja2 with nothing to reach and an end in sight.

Jinja2's sandbox keeps a template from the interpreter behind it, by a list of what is forbidden,
and bounds neither time nor memory. Here the list says what is allowed: every attribute, method,
filter and global a template may use is named below. What it makes is measured while it is made:
the tree of a parsed template is rewritten, so that each round of a loop, each call, each new
value and each written text passes by a :class:`~aima.prompts.meter.Meter`.

A value in ``{{ }}`` reads as in ``${ }``: text as it is, everything else as compact JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import CodeType

from jinja2 import Template
from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError

from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.nearest import nearest
from aima.errors import AimaError, NotFound, TooLarge, ValidationFailed
from aima.prompts.meter import MOST_OUTPUT, check_length
from aima.prompts.sandbox import Sandbox
from aima.settings import project_root
from aima.shipped import shipped

__all__ = ["prompt_folders", "render", "render_file"]

_TEXT = "<template>"  # what Jinja2 calls a template that is no file
_COMPILED = 64
"""Templates kept as code: a loop, and each run of a workflow, fills the same ones in again."""


def prompt_folders() -> tuple[Path, ...]:
    """Name the folders of prompts: the project's, then those that AIMA ships."""
    project = project_root(Path.cwd())
    own = () if project is None else (project / "templates" / "prompts",)
    return (*own, shipped("templates") / "prompts")


def render(text: str, values: Mapping[str, Json], folders: Sequence[Path] = ()) -> str:
    """Fill a template in; it may include and import those of ``folders``.

    Raises:
        ValidationFailed: the template is wrong, asks for what is not there, or for what it may
            not have; the message names its line.
        TooLarge: the template, or what it makes, is too large.
        TimedOut: it takes longer than four seconds.
    """
    check_length(text)
    environment = Sandbox(folders)
    return _told(lambda: _template(environment, text).render(values), name=_TEXT)


def _template(environment: Sandbox, text: str) -> Template:
    return Template.from_code(environment, _code(text), environment.make_globals(None))


@lru_cache(_COMPILED)
def _code(text: str) -> CodeType:
    """Compile a template; what it may do is counted by whoever renders it."""
    return Sandbox(()).compile(text)


def render_file(name: str, values: Mapping[str, Json], folders: Sequence[Path]) -> str:
    """Fill the template of this name in, the first there is in ``folders``.

    Raises:
        NotFound: there is none; the message names the nearest.
        ValidationFailed, TooLarge, TimedOut: as :func:`render`.
    """
    environment = Sandbox(folders)
    known = environment.list_templates(extensions=["j2"])
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"
        raise NotFound(f"there is no prompt {name!r} in `templates/prompts`; {hint}")
    return _told(lambda: environment.get_template(name).render(values), name=name)


def _told(render_it: Callable[[], str], *, name: str) -> str:
    """Render; tell what goes wrong with the template's line."""
    try:
        text = render_it()
    except TemplateSyntaxError as error:
        raise ValidationFailed(f"{error.name or name}:{error.lineno}: {error.message}") from error
    except TemplateNotFound as error:
        where = _place(error, name)
        raise ValidationFailed(f"{where}: there is no template {error.name!r}") from error
    except AimaError as error:
        raise type(error)(f"{_place(error, name)}: {error.message}") from error
    except (RecursionError, MemoryError, SyntaxError) as error:  # the last from Python's compiler
        raise ValidationFailed(f"{name}: it is nested too deeply; take it apart") from error
    except (TemplateError, ExpressionError, ArithmeticError, TypeError, ValueError) as error:
        raise ValidationFailed(f"{_place(error, name)}: {error}") from error
    size = len(text.encode(errors="replace"))
    if size > MOST_OUTPUT:
        raise TooLarge(f"{name} gives {size} bytes of text, and {MOST_OUTPUT} are allowed")
    return text


def _place(error: BaseException, name: str) -> str:
    """Name the line of the template that an error comes from: its traceback ends there."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file == _TEXT or file.endswith(".j2"):
            line, name = trace.tb_lineno, name if file == _TEXT else Path(file).name
        trace = trace.tb_next
    return f"{name}:{line}" if line else name
