"""The guarded way out: it reaches public addresses and what is allowed, and nothing inside."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

import httpcore2
import pytest
import pytest_asyncio

from aima.addresses import Address, Allowed, is_public
from aima.errors import AimaError, Forbidden, InvalidRequest, TimedOut, TooLarge
from aima.outbound import Outbound, resolved
from aima.settings import Outbound as Bounds

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = IPv4Address("93.184.215.14")
"""Stands for the internet: a test's network leads it to the canary's other door."""


@dataclass
class Canary:
    """A server on loopback that nobody may reach, and what reached it."""

    port: int = 0
    hits: list[bytes] = field(default_factory=list)
    answers: dict[bytes, bytes] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note a request and answer it, as the path says."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.hits.append(head)
        path = head.split(b" ")[1]
        writer.write(self.answers.get(path, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside() -> AsyncIterator[Canary]:
    """Serve the canary."""
    async with served() as canary:
        yield canary


@asynccontextmanager
async def served() -> AsyncIterator[Canary]:
    """Serve on a free port of loopback."""
    canary = Canary()
    server = await asyncio.start_server(canary.serve, "127.0.0.1", 0)
    async with server:
        canary.port = server.sockets[0].getsockname()[1]
        yield canary


@dataclass
class Internet(httpcore2.AsyncNetworkBackend):
    """Connects to a server on loopback in place of any public address, and elsewhere for real."""

    port: int
    dialled: list[str] = field(default_factory=list)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect."""
        self.dialled.append(host)
        public = is_public(ip_address(host))
        host, port = ("127.0.0.1", self.port) if public else (host, port)
        real = httpcore2.AnyIOBackend()
        return await real.connect_tcp(host, port, timeout, local_address, socket_options)


class Names:
    """A resolver: some names of its own, what looks like an address as the machine reads it."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        """Know these names; each answer is used once, the last one for ever."""
        self.left = names
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        """Resolve a name."""
        self.asked.append(host)
        name = host.rstrip(".")
        if name not in self.left:
            return await resolved(host, port)
        answers = self.left[name]
        told = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(text) for text in told.split()]


# --- the corpus ------------------------------------------------------------------------------

HOSTS = (
    "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0", "2130706433", "0x7f000001", "0x7f.0.0.1",
    "0177.0.0.1", "017700000001", "127.000.000.001", "127.0.0.1.", "localhost", "LOCALHOST.",
    "localhost.localdomain", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]",
    "[fd00:ec2::254]", "[ff02::1]", "[2a00::5efe:127.0.0.1]", "127。0。0。1", "１２７.0.0.1",
    "①②⑦.⓪.⓪.①", "%31%32%37.0.0.1", "127.0.0.1%00.example", "169.254.169.254", "10.0.0.1",
    "172.16.0.1", "192.168.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "255.255.255.255", "224.0.0.1", "198.18.0.1", "evil.test@127.0.0.1", "a:b@127.0.0.1",
    "evil.test\\@127.0.0.1", "127.0.0.1\\@rebound.test", "evil.test#@127.0.0.1",
    "evil.test?@127.0.0.1", "inside.test", "mixed.test", "six.test",
)  # fmt: skip
FORMS = (
    "http:/{host}:{port}/", "http:{host}:{port}/", "//{host}:{port}/", "{host}:{port}/",
    "http:\\\\{host}:{port}\\", "http:///{host}:{port}/", " http://{host}:{port}/",
    "\thttp://{host}:{port}/", "ht\ntp://{host}:{port}/", "http://{host}:{port}\r\nx: y/",
    "ftp://{host}:{port}/", "gopher://{host}:{port}/_GET", "file:///etc/passwd", "file://{host}/",
    "dict://{host}:{port}/", "data:text/plain,hi", "unix://{host}/", "jar:http://{host}:{port}!/",
    "javascript:alert(1)", "", "http://", "https://", "http://:{port}/", "http://[::1",
    "http://{host}:{port}:80/", "http://{host}:99999999/", "http://\u202e{host}:{port}/",
    "http+unix://{host}/", "HTTP+HTTP://{host}:{port}/", "http://" + "a" * 3000,
)  # fmt: skip


def names() -> Names:
    """Make a resolver for the corpus; nothing of it may be resolved over the network."""
    inner = {"inside.test": "127.0.0.1", "mixed.test": "10.0.0.1 ::1 127.0.0.1"}
    inner |= {"six.test": "::ffff:127.0.0.1 64:ff9b::7f00:1", "evil.test": "127.0.0.1"}
    inner |= {"rebound.test": "127.0.0.1", "localhost.localdomain": "127.0.0.1"}
    return Names({name: [told] for name, told in inner.items()})


@pytest.mark.parametrize("host", HOSTS)
async def test_no_spelling_of_an_inner_address_is_called(inside: Canary, host: str) -> None:
    """Numbers, names, hidden addresses, clouds' metadata: nothing is even dialled."""
    network = Internet(inside.port)
    outbound = Outbound(Bounds(), resolve=names(), network=network)
    before = len(inside.hits)
    for scheme in ("http", "HTTP", "https"):
        with pytest.raises((Forbidden, InvalidRequest)):
            await outbound.get(f"{scheme}://{host}:{inside.port}/")
    assert (network.dialled, len(inside.hits)) == ([], before)


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_no_address_of_http_leads_nowhere(inside: Canary, form: str) -> None:
    """Other schemes, and what one reader takes for an address and another one does not."""
    network = Internet(inside.port)
    outbound = Outbound(Bounds(), resolve=names(), network=network)
    with pytest.raises((Forbidden, InvalidRequest)):
        await outbound.get(form.format(host="127.0.0.1", port=inside.port))
    assert network.dialled == []


async def test_a_name_is_resolved_once(inside: Canary) -> None:
    """Its second answer (DNS rebinding) is never asked for: what was checked is dialled."""
    network = Internet(inside.port)
    resolver = Names({"rebound.test": [str(PUBLIC), "127.0.0.1"]})
    fetched = await Outbound(Bounds(), resolve=resolver, network=network).get(
        "http://rebound.test/"
    )
    assert fetched.body == b"hi"
    assert (network.dialled, resolver.asked) == ([str(PUBLIC)], ["rebound.test"])


async def test_of_several_addresses_only_public_ones_are_dialled(inside: Canary) -> None:
    """One good answer does not open the way to the others."""
    network = Internet(inside.port)
    resolver = Names({"some.test": [f"127.0.0.1 10.0.0.1 {PUBLIC} ::1"]})
    await Outbound(Bounds(), resolve=resolver, network=network).get("http://some.test/")
    assert network.dialled == [str(PUBLIC)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://[::1]:{port}/", "file:///etc/hosts",
     "http://evil.test/", "http://user:pass@127.0.0.1:{port}/"],
)  # fmt: skip
async def test_a_redirect_is_looked_at_like_any_address(status: int, target: str) -> None:
    """It ends at the hop that leads inside."""
    async with served() as outside, served() as inside:
        location = target.format(port=inside.port)
        outside.answers[b"/go"] = moved(status, location)
        network = Internet(outside.port)
        resolver = Names({"out.test": [str(PUBLIC)], "evil.test": ["127.0.0.1"]})
        with pytest.raises((Forbidden, InvalidRequest)):
            await Outbound(Bounds(), resolve=resolver, network=network).get("http://out.test/go")
        assert (inside.hits, set(network.dialled)) == ([], {str(PUBLIC)})


async def test_a_redirect_takes_nothing_along() -> None:
    """No cookie of the first host, no key, no password: there is nothing to lose."""
    async with served() as outside:
        cookie = "set-cookie: a=b; domain=test"
        outside.answers[b"/go"] = moved(302, "http://other.test/there?x=1", cookie)
        resolver = Names({"out.test": [str(PUBLIC)], "other.test": [str(PUBLIC)]})
        network = Internet(outside.port)
        await Outbound(Bounds(), resolve=resolver, network=network).get("http://out.test/go")
        _, there = outside.hits
    names = {line.partition(b":")[0].lower() for line in there.split(b"\r\n")[1:] if line}
    assert names == {b"host", b"accept", b"accept-encoding", b"user-agent"}
    assert b"Host: other.test" in there


async def test_redirects_have_an_end(inside: Canary) -> None:
    """A circle is left after as many as the settings say."""
    inside.answers[b"/circle"] = moved(302, "/circle")
    network = Internet(inside.port)
    outbound = Outbound(
        Bounds(redirects=3), resolve=Names({"out.test": [str(PUBLIC)]}), network=network
    )
    with pytest.raises(InvalidRequest, match="more than 3 redirects"):
        await outbound.get("http://out.test/circle")
    assert len(network.dialled) == 4


# --- bounds ----------------------------------------------------------------------------------


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Write an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode() + body


def moved(status: int, location: str, *headers: str) -> bytes:
    """Write a redirect."""
    return answer(b"", f"location: {location}", "content-length: 0", *headers, status=f"{status} x")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer(b"x" * 101, "content-length: 101"), TooLarge),
        (answer(b"", "content-length: 99999999999"), TooLarge),
        (answer(b"x" * 101), TooLarge),
        (answer(b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", "transfer-encoding: chunked"), TooLarge),
        (answer(gzip.compress(b"0" * 9000, mtime=0), "content-encoding: gzip"), InvalidRequest),
        (answer(b"", status="404 Not Found"), InvalidRequest),
        (answer(b"", status="204 No Content"), InvalidRequest),
        (answer(b"short", "content-length: 100"), InvalidRequest),
        (b"\x00\x01nonsense\r\n\r\n", InvalidRequest),
        (b"", InvalidRequest),
        (answer(b"x" * 100), None),
    ],
)  # fmt: skip
async def test_an_answer_has_bounds(
    inside: Canary, told: bytes, error: type[AimaError] | None
) -> None:
    """By what it says, and by what it does; what is packed is not unpacked."""
    inside.answers[b"/"] = told
    allow = [f"127.0.0.1:{inside.port}"]
    outbound = Outbound(Bounds(allow=allow, max_bytes=100))
    if error is None:
        assert len((await outbound.get(f"http://127.0.0.1:{inside.port}/")).body) == 100
        return
    with pytest.raises(error) as caught:
        await outbound.get(f"http://127.0.0.1:{inside.port}/")
    assert type(caught.value) is error


async def test_whoever_says_nothing_is_left() -> None:
    """The time is that of the whole fetch, however slowly it drips."""
    async with silent() as port:
        outbound = Outbound(Bounds(allow=["127.0.0.1"], seconds=0.05))
        with pytest.raises(TimedOut):
            await outbound.get(f"http://127.0.0.1:{port}/")


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """Listen, and say nothing."""
    heard: list[asyncio.StreamWriter] = []

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in heard:
            writer.close()


# --- what is allowed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "url", "good"),
    [
        (["127.0.0.1"], "http://127.0.0.1:{port}/", True),
        (["127.0.0.1:{port}"], "http://127.0.0.1:{port}/", True),
        (["127.0.0.0/8"], "http://127.0.0.1:{port}/", True),
        (["nas.test:{port}"], "http://NAS.test:{port}/", True),
        (["nas.test"], "http://nas.test.:{port}/", True),
        (["127.0.0.1:1"], "http://127.0.0.1:{port}/", False),
        (["nas.test"], "http://127.0.0.1:{port}/", False),
        (["127.0.0.1"], "http://nas.test:{port}/", False),
        (["nas.test"], "http://xnas.test:{port}/", False),
        (["nas.test"], "http://a.nas.test:{port}/", False),
        (["10.0.0.0/8", "::/0"], "http://127.0.0.1:{port}/", False),
    ],
)
async def test_the_settings_may_allow_more(
    inside: Canary, allow: list[str], url: str, *, good: bool
) -> None:
    """A host under its name, a port of it, or a network; no more than what is written."""
    inside.answers.pop(b"/", None)
    told = [text.format(port=inside.port) for text in allow]
    resolver = Names({name: ["127.0.0.1"] for name in ("nas.test", "xnas.test", "a.nas.test")})
    outbound = Outbound(Bounds(allow=told), resolve=resolver)
    where = url.format(port=inside.port)
    if good:
        assert (await outbound.get(where)).body == b"hi"
    else:
        with pytest.raises(Forbidden, match=r"outbound\.allow"):
            await outbound.get(where)


@pytest.mark.parametrize(
    "text", ["", ":80", "host:x", "10.0.0.1/33", "10.0.0.1/8", "[::1", "[::1]x", "[nonsense]:80"]
)
async def test_what_cannot_be_read_is_no_permission(text: str) -> None:
    """A slip in the settings is told at the start, not found out by a stranger."""
    with pytest.raises(ValueError, match=r"."):
        Bounds(allow=[text])


async def test_an_address_of_ipv6_can_be_allowed() -> None:
    """In brackets with a port, by itself without."""
    for texts in (["[::1]:80"], ["::1"], ["[::1]"], ["::/127"]):
        assert Allowed.read(texts).permits("::1", 80, ip_address("::1"))
    assert not Allowed.read(["[::1]:80"]).permits("::1", 81, ip_address("::1"))


@pytest.mark.parametrize("text", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450::1"])
async def test_the_internet_is_public(text: str) -> None:
    """A guard that refused everything would prove nothing."""
    assert is_public(ip_address(text))
