"""Jinja2 with a list of what is allowed, and every step of it metered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import BuiltinMethodType, MethodType
from typing import Any, TypeAlias, cast

from jinja2 import FileSystemLoader, StrictUndefined, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Namespace

from aima.dsl.json import Json
from aima.dsl.template import to_text
from aima.errors import TooLarge, ValidationFailed
from aima.prompts.instrument import Instrument
from aima.prompts.meter import ITEM, Meter, check_length

_MOST_BITS = 1024  # of an integer
_MOST_INDENT = 100
_MOST_DIGITS = 15

_Work: TypeAlias = Callable[..., object]

_METHODS: dict[type, str] = {
    str: "capitalize count endswith find isdigit islower isupper lower lstrip removeprefix "
    "removesuffix rstrip split splitlines startswith strip title upper",
    dict: "get items keys values",
    LoopContext: "changed cycle depth depth0 first index index0 last length nextitem previtem "
    "revindex revindex0",
}
"""What may be asked of a value beside its keys; none of these can make more than it is given."""

_BORROWED = (
    "abs capitalize count d default dictsort first float int items last length list lower map max "
    "min reject rejectattr reverse select selectattr sort title trim truncate unique upper "
    "wordcount"
)
"""Jinja2's own filters that stay; others are done anew below, or are not needed."""


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one rendering."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(
            loader=FileSystemLoader(folders),
            undefined=StrictUndefined,
            optimized=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.meter = Meter()
        self.globals = {"range": self._range, "namespace": Namespace}
        borrowed = cast("dict[str, _Work]", FILTERS)
        self.filters = {name: self._metered(borrowed[name]) for name in _BORROWED.split()}
        own: dict[str, _Work] = {
            "indent": self._indent,
            "join": self._join,
            "replace": self._replace,
            "round": _round,
            "string": self.text,
            "sum": _sum,
            "tojson": self._tojson,
        }
        self.filters |= {name: self._metered(work) for name, work in own.items()}
        self.filters |= {
            " rounds": _taking_context(self._rounds),
            " written": _taking_context(self._written),
            " joined": _taking_context(self._join),
            " seen": _taking_context(self._seen),
            " made": _taking_context(self._made),
        }
        self.tests = {name: self._metered(cast("_Work", test)) for name, test in TESTS.items()}

    # -- what Jinja2 asks ------------------------------------------------------------------

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        check_length(source)
        tree = super()._parse(source, name, filename)
        return cast("nodes.Template", Instrument().visit(tree))

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - a template's value
        """Give `obj.attribute`: one of the named methods, else what lies under that key."""
        if attribute in _methods(obj):
            return getattr(obj, attribute)
        if isinstance(obj, Namespace) and not attribute.startswith("_"):
            return getattr(obj, attribute, self.undefined(obj=obj, name=attribute))
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - a template's value
        """Give `obj[argument]`, never an attribute."""
        self.meter.step()
        if isinstance(obj, Undefined):
            return obj[argument]
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401 - a template's value
        """Tell whether a template may call this."""
        if isinstance(obj, BuiltinMethodType | MethodType):
            return obj.__name__ in _methods(obj.__self__) or obj == self._range
        return isinstance(obj, Macro | LoopContext) or obj is Namespace

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - a template's values
        """Call a macro or one of the named methods."""
        self.meter.step()
        if not self.is_safe_callable(obj) and not isinstance(obj, Undefined):
            raise SecurityError("only macros and the named methods can be called; try a filter")
        result = context.call(obj, *args, **kwargs)
        if isinstance(result, str | list | tuple):
            self.meter.made(result)
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - a template's values
        """Reckon, once it is clear that the result is not too large."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("`%` does not format text; write the values in `{{ }}`")
        if operator == "*":
            self._check_product(left, right)
        if operator == "**" and isinstance(right, int) and _bits(left) * right > _MOST_BITS:
            raise TooLarge("this power is too large a number")
        result = super().call_binop(context, operator, left, right)
        self.meter.made(result)
        return result

    def _check_product(self, left: object, right: object) -> None:
        for some, times in ((left, right), (right, left)):
            if isinstance(some, str | list | tuple) and isinstance(times, int):
                self.meter.may_make(times * (len(some) * (1 if isinstance(some, str) else ITEM)))
        if _bits(left) + _bits(right) > _MOST_BITS:
            raise TooLarge("this product is too large a number")

    def _metered(self, work: _Work) -> _Work:
        """Let a filter or test count what it does, and make what it makes lazily at once."""

        def metered(*args: object, **kwargs: object) -> object:
            self.meter.step()
            result = work(*args, **kwargs)
            if isinstance(result, Iterator):
                result = list(self._rounds(result))
            if not isinstance(result, bool):
                self.meter.made(result)
            return result

        if (passed := getattr(work, "jinja_pass_arg", None)) is not None:
            metered.jinja_pass_arg = passed  # type: ignore[attr-defined] # how Jinja2 marks them
        return metered

    # -- what is written and made ----------------------------------------------------------

    def text(self, value: object) -> str:
        """Turn a value into text as the language does."""
        if isinstance(value, Undefined):
            return str(value)  # tells what is missing
        if isinstance(value, Macro | LoopContext | Namespace) or callable(value):
            raise ValidationFailed(f"a {type(value).__name__} is no value that can be written")
        return to_text(_plain(value))

    def _written(self, value: object) -> str:
        text = self.text(value)
        self.meter.step(len(text))
        return text

    def _rounds(self, values: Iterable[object]) -> Iterator[object]:
        for value in values:
            self.meter.step()
            yield value

    def _seen(self, value: object) -> object:
        self.meter.step()
        return value

    def _made(self, value: object) -> object:
        self.meter.made(value)
        return value

    def _range(self, *bounds: int) -> range:
        made = range(*bounds)
        self.meter.step(len(made))
        return made

    def _join(self, values: Iterable[object], between: str = "", attribute: str = "") -> str:
        if attribute:
            values = [self.getitem(value, attribute) for value in values]
        texts = [self.text(value) for value in values]
        self.meter.may_make(sum(map(len, texts)) + len(self.text(between)) * len(texts))
        return self.text(between).join(texts)

    def _replace(self, value: object, old: str, new: str, count: int = -1) -> str:
        text = self.text(value)
        found = text.count(old) if count < 0 else min(count, text.count(old))
        self.meter.may_make(len(text) + found * len(new))
        return text.replace(old, new, count)

    def _indent(self, value: object, width: int = 4, first: bool = False) -> str:  # noqa: FBT001, FBT002 - as in Jinja2
        if not 0 <= width <= _MOST_INDENT:
            raise ValidationFailed(f"`indent` takes 0 to {_MOST_INDENT} blanks, not {width}")
        blanks = " " * width
        lines = self.text(value).split("\n")
        self.meter.may_make(width * len(lines))
        text = f"\n{blanks}".join(lines)
        return blanks + text if first else text

    def _tojson(self, value: object, indent: int | None = None) -> str:
        self.text(value)  # bounds it
        if indent is None:
            return json.dumps(_plain(value), ensure_ascii=False)
        self.meter.may_make(ITEM * len(self.text(value)))
        return json.dumps(_plain(value), ensure_ascii=False, indent=min(indent, ITEM))


def _methods(value: object) -> list[str]:
    return _METHODS.get(type(value), "").split()


def _taking_context(work: Callable[[Any], object]) -> Callable[[Context, Any], object]:
    @pass_context
    def filter_(context: Context, value: Any) -> object:  # noqa: ANN401 - a template's value
        del context
        return work(value)

    return filter_


def _plain(value: object) -> Json:
    """Give JSON: what is a tuple, a range or a view of a map in Jinja2 is a list."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return cast("Json", value)


def _bits(number: object) -> int:
    return number.bit_length() if isinstance(number, int) else 0


def _round(value: float, digits: int = 0) -> float:
    if abs(digits) > _MOST_DIGITS:
        raise ValidationFailed(f"`round` takes up to {_MOST_DIGITS} digits, not {digits}")
    return round(value, digits)


def _sum(values: Iterable[float]) -> float:
    return sum(values)
