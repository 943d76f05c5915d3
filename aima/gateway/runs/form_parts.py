"""The parts of a form (RFC 7578) as they come in: a file of any size is never held in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from aima.errors import TooLarge, ValidationFailed

FORM = "multipart/form-data"
MOST_PARTS = 100
_BROKEN = "the request: the form breaks off in the middle; send it again"


@dataclass(frozen=True)
class _Headers:
    """A part begins."""

    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Data:
    """Bytes of the part that began last."""

    data: bytes


@dataclass(frozen=True)
class _End:
    """That part ends."""


_Event = _Headers | _Data | _End


@dataclass(frozen=True)
class Part:
    """One field of a form.

    Attributes:
        filename: the file's name, where the field is one.
    """

    name: str
    filename: str | None
    _events: _Events

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give its bytes; they can be had once, and before the next part."""
        while isinstance(event := await self._events.next(), _Data):
            yield event.data

    async def text(self, most_bytes: int) -> str:
        """Give all of it as text.

        Raises:
            TooLarge: there is more than ``most_bytes``.
            ValidationFailed: it is no text.
        """
        data = bytearray()
        async for chunk in self.chunks():
            data += chunk
            if len(data) > most_bytes:
                raise TooLarge(f"the field {self.name!r} has more than {most_bytes} bytes")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ValidationFailed(f"the field {self.name!r} is no text in UTF-8") from error


async def parts_of(request: Request) -> AsyncIterator[Part]:
    """Read a form, part by part; what a reader leaves of a part is passed over.

    Raises:
        ValidationFailed: it is no form, or breaks off.
        TooLarge: it has too many parts.
    """
    events = _Events(request)
    count = 0
    while (event := await events.next()) is not None:
        if isinstance(event, _Headers):
            count += 1
            if count > MOST_PARTS:
                raise TooLarge(f"a form has at most {MOST_PARTS} fields")
            yield _part(event.headers, events)


class _Events:
    """What a parser finds in a stream, one after the other."""

    def __init__(self, request: Request) -> None:
        _, options = parse_options_header(request.headers.get("content-type", ""))
        self._stream = request.stream()
        self._ready: deque[_Event] = deque()
        self._headers: dict[str, str] = {}
        self._name = self._value = b""
        self._whole = False
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise ValidationFailed(f"the request: {error}") from error

    async def next(self) -> _Event | None:
        """Give the next event; None where the form has ended."""
        while not self._ready:
            chunk = await anext(self._stream, None)
            if chunk is None:
                if not self._whole:
                    raise ValidationFailed(_BROKEN)
                return None
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise ValidationFailed(f"the request is no form: {error}") from error
        return self._ready.popleft()

    def _begin(self) -> None:
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        self._ready.append(_Headers(self._headers))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._ready.append(_Data(data[start:end]))

    def _part_end(self) -> None:
        self._ready.append(_End())

    def _end(self) -> None:
        self._whole = True


def _part(headers: Mapping[str, str], events: _Events) -> Part:
    _, options = parse_options_header(headers.get("content-disposition", ""))
    if b"name" not in options:
        raise ValidationFailed("the request: a field of the form has no name")
    named = options.get(b"filename")
    return Part(
        name=options[b"name"].decode(errors="replace"),
        filename=None if named is None else named.decode(errors="replace"),
        _events=events,
    )
