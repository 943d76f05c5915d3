"""What an atomic unit is, said once; the doors, schemas, pages and tests derive from it.

A module of units makes one :class:`Domain` and decorates one function for each unit::

    acme = Domain("acme")

    @acme.query(examples=(Example("Two words", {"text": "a b"}, {"words": 2}),))
    async def count_words(request: CountWords, ctx: Context) -> WordCount:
        \"\"\"Count the words of a text.\"\"\"
        return WordCount(words=len(request.text.split()))
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

from aima.absent import leaving_out
from aima.errors import AimaError
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engines, Memory
from aima.ports.files import Files
from aima.ports.frames import Frames
from aima.ports.inference import Incoming
from aima.ports.vectors import Vectors
from aima.resources.uri import Template

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Kind(StrEnum):
    """Whether a unit changes something (command) or only answers (query)."""

    COMMAND = "command"
    QUERY = "query"


class Event(BaseModel):
    """Something a unit tells the world; a subclass names its type in ``TYPE``."""

    model_config = ConfigDict(frozen=True)

    TYPE: ClassVar[str]


class Context(Protocol):
    """What a running unit may ask for."""

    @property
    def engines(self) -> Engines:
        """The inference engines of this installation."""
        ...

    @property
    def artifacts(self) -> Artifacts:
        """The store of bytes."""
        ...

    @property
    def vectors(self) -> Vectors:
        """The store of passages that are found by what they mean."""
        ...

    @property
    def files(self) -> Files:
        """The files of the project, to read."""
        ...

    @property
    def frames(self) -> Frames:
        """Whoever takes pictures out of films."""
        ...

    @property
    def effect_key(self) -> str:
        """Names the effect of this step: equal for every attempt, unique otherwise.

        Hand it to outside systems as their idempotency key.
        """
        ...

    @property
    def memory(self) -> Memory:
        """What an earlier attempt of this step has left for this one."""
        ...

    def progress(self, message: str) -> None:
        """Tell how far the work is, such as ``12 tokens``; also proves the unit alive."""
        ...

    def pieces(self, piece: str | bytes) -> None:
        """Show a piece of the answer to those who watch the step; it also counts as progress."""
        ...

    def incoming(self, source: Incoming) -> AsyncIterator[str]:
        """Read a text while another step writes it.

        Raises:
            StreamLost: there is none to read; the run then calls the unit with the whole text.
            ExecutionFailed: the other step has begun its answer again.
        """
        ...

    async def emit(self, event: Event) -> None:
        """Tell what happened."""
        ...


Input = TypeVar("Input", bound=BaseModel)
Output = TypeVar("Output", bound=BaseModel)
Body = Callable[[Input, Context], Awaitable[Output]]


@dataclass(frozen=True)
class Retry:
    """How a failed attempt is tried again.

    Attributes:
        attempts: how often in all, the first one included.
        delay: wait before the second attempt; each further one waits ``backoff`` times longer.
        max_delay: longest wait between two attempts.
    """

    attempts: int = 3
    delay: timedelta = timedelta(seconds=1)
    backoff: float = 2.0
    max_delay: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        """Refuse what Temporal would refuse only once a run is on its way."""
        if self.attempts < 1 or self.backoff < 1 or self.delay < timedelta():
            raise ValueError(f"{self} is no policy: attempts and backoff start at 1, delay at 0")


@dataclass(frozen=True)
class Example:
    """One call of a unit, as written in YAML, and what comes back.

    Attributes:
        input: the input; ``@assets/x.wav`` stands for an artifact shipped with AIMA.
        output: what to expect. It must come back exactly, unless ``holds`` is given.
        holds: predicates of the output, for units that never answer twice alike.
        fails: how it ends on a machine with nothing but AIMA; ``output`` is then what a machine
            with more would give.
    """

    title: str
    input: Mapping[str, object]
    output: Mapping[str, object]
    holds: tuple[Callable[[Mapping[str, object]], bool], ...] = ()
    fails: type[AimaError] | None = None


@dataclass(frozen=True)
class Unit:
    """An atomic unit: what it is called, takes, gives, and may do.

    Attributes:
        idempotent: running it twice does what running it once does. The effect of a command
            that is not is recorded, so that an attempt after a crash finds it done.
        destructive: it may take away what nobody else keeps, or break off what others do, so
            agents ask before they call it.
        repeatable: asked again it does nothing more. Another attempt at the same is another
            thing: `idempotent` tells of that.
        view: it only tells how things are, and has no engine work: who may look may ask it.
        unless: fields of a view's input that have an engine work, where they are given.
        timeout: longest time of one attempt.
        version: raise it when the same input shall give another output; cached outputs of older
            versions are not used.
    """

    name: str
    kind: Kind
    input: type[BaseModel]
    output: type[BaseModel]
    run: Callable[[BaseModel, Context], Awaitable[BaseModel]]
    description: str
    timeout: timedelta
    retry: Retry
    idempotent: bool
    errors: tuple[type[AimaError], ...] = ()
    emits: tuple[type[Event], ...] = ()
    examples: tuple[Example, ...] = ()
    version: int = 1
    destructive: bool = False
    repeatable: bool = True
    view: bool = False
    unless: tuple[str, ...] = ()

    def has_work(self, asked: BaseModel) -> bool:
        """Tell whether a view was asked for more than a look."""
        fields = type(asked).model_fields
        return any(getattr(asked, name) != fields[name].default for name in self.unless)

    def sent_schema(self, ref_template: str = DEFAULT_REF_TEMPLATE) -> dict[str, Any]:
        """Give the JSON Schema of what it sends, in which what is null is left out."""
        schema = self.output.model_json_schema(mode="serialization", ref_template=ref_template)
        told: dict[str, Any] = leaving_out(schema)
        return told

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        return self.description.partition("\n")[0]


@dataclass(frozen=True)
class Members:
    """Which items of a collection have changes of their own.

    Attributes:
        field: where the list is, in what the resource shows.
        key: the field of an item that names it.
        uri: the template of an item's address, with one variable.
    """

    field: str
    key: str
    uri: str


@dataclass(frozen=True)
class Shown:
    """A resource that shows what a query says, under an address of its own.

    Attributes:
        uri: its address, or a template; each variable is a field of the query's input.
        interval_seconds: how often the query is asked while somebody watches.
    """

    uri: str
    title: str
    unit: Unit
    members: Members | None = None
    interval_seconds: float = 5.0


@dataclass
class Domain:
    """A family of units with a common first name, such as ``inference``."""

    name: str
    units: dict[str, Unit] = field(default_factory=dict)
    resources: dict[str, Shown] = field(default_factory=dict)

    def command(  # noqa: PLR0913 - each is one thing said of the unit
        self,
        *,
        idempotent: bool,
        timeout: timedelta = timedelta(minutes=5),
        retry: Retry = Retry(),
        errors: tuple[type[AimaError], ...] = (),
        emits: tuple[type[Event], ...] = (),
        examples: tuple[Example, ...] = (),
        version: int = 1,
        destructive: bool = False,
        repeatable: bool | None = None,
    ) -> Callable[[Body[Input, Output]], Body[Input, Output]]:
        """Declare a unit that changes something; it is as repeatable as idempotent, unless told."""

        def declare(body: Body[Input, Output]) -> Body[Input, Output]:
            self._add(
                body,
                kind=Kind.COMMAND,
                idempotent=idempotent,
                timeout=timeout,
                retry=retry,
                errors=errors,
                emits=emits,
                examples=examples,
                version=version,
                destructive=destructive,
                repeatable=idempotent if repeatable is None else repeatable,
            )
            return body

        return declare

    def query(  # noqa: PLR0913 - each is one thing said of the unit
        self,
        *,
        timeout: timedelta = timedelta(minutes=1),
        retry: Retry = Retry(),
        errors: tuple[type[AimaError], ...] = (),
        examples: tuple[Example, ...] = (),
        version: int = 1,
        view: bool = False,
        unless: tuple[str, ...] = (),
    ) -> Callable[[Body[Input, Output]], Body[Input, Output]]:
        """Declare a unit that changes nothing; a ``view`` is for whoever may look."""

        def declare(body: Body[Input, Output]) -> Body[Input, Output]:
            self._add(
                body,
                kind=Kind.QUERY,
                idempotent=True,
                timeout=timeout,
                retry=retry,
                errors=errors,
                examples=examples,
                version=version,
                view=view,
                unless=unless,
            )
            return body

        return declare

    def resource(
        self,
        uri: str,
        query: Body[Input, Output],
        title: str,
        *,
        members: Members | None = None,
        interval_seconds: float = 5.0,
    ) -> None:
        """Declare a resource: what a query of this domain says, to read and to watch."""
        unit = next((unit for unit in self.units.values() if unit.run is query), None)
        if unit is None or unit.kind is not Kind.QUERY:
            raise TypeError(f"{uri!r} must show a query of the domain {self.name!r}")
        given = set(Template.parse(uri).variables)
        needed = {name for name, field in unit.input.model_fields.items() if field.is_required()}
        if uri in self.resources or not needed <= given <= set(unit.input.model_fields):
            raise TypeError(f"the variables of {uri!r} must be what {unit.name!r} asks for")
        self.resources[uri] = Shown(uri, title, unit, members, interval_seconds)

    def _add(self, body: Body[Input, Output], **said: object) -> None:
        verb = getattr(body, "__name__", "").rstrip("_")  # `import_` declares `….import`
        name = f"{self.name}.{verb}"
        if not _NAME.fullmatch(self.name) or not _NAME.fullmatch(verb):
            raise TypeError(f"{name!r} is no unit name: write lower-case words, as in model.pull")
        if name in self.units:
            raise TypeError(f"{name!r} is declared twice in this domain; rename one")
        if not body.__doc__:
            raise TypeError(f"{name!r} has no docstring; its first line is what users read")
        if not inspect.iscoroutinefunction(body):
            raise TypeError(f"{name!r} must be `async def`; a thread may do its blocking work")
        request, reply = _models(body, name)
        unless = said.get("unless", ())
        if unless and not (said["view"] and set(unless) <= set(request.model_fields)):  # type: ignore[call-overload] # names
            raise TypeError(f"{name!r}: `unless` names fields of a view's input")
        self.units[name] = Unit(
            name=name,
            input=request,
            output=reply,
            run=body,  # type: ignore[arg-type] # _models proved the two types
            description=inspect.cleandoc(body.__doc__),
            **said,  # type: ignore[arg-type] # command() and query() have typed them
        )


def _models(body: object, name: str) -> tuple[type[BaseModel], type[BaseModel]]:
    """Read a unit's input and output model off its annotations."""
    hints = get_type_hints(body)
    reply = hints.pop("return", None)
    request = next(iter(hints.values()), None)
    for model in (request, reply):
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or model is BaseModel:
            raise TypeError(
                f"{name!r} must be `async def {name.partition('.')[2]}(request: Model, "
                "ctx: Context) -> Model` with pydantic models of its own"
            )
    return request, reply  # type: ignore[return-value] # narrowed in the loop above
