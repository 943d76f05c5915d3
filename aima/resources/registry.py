"""All resources: what there are, and reading and watching one by its address."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from aima.dsl.nearest import nearest
from aima.errors import Conflict, NotFound
from aima.resources.feed import BOOKMARK_SECONDS, Feed, Versions
from aima.resources.pattern import matched
from aima.resources.resource import Change, Resource, Snapshot, Values
from aima.resources.uri import Pattern, Uri

MOST_FEEDS = 500
"""Resources whose last state is remembered though nobody watches them."""


class Resources:
    """The resources of an installation."""

    def __init__(
        self,
        *families: Iterable[Resource],
        versions: Versions | None = None,
        bookmark_seconds: float = BOOKMARK_SECONDS,
    ) -> None:
        """Know those of some families; their watchers hear something after so many seconds.

        Raises:
            Conflict: two have the same address.
        """
        self._known: dict[str, Resource] = {}
        for resource in (resource for family in families for resource in family):
            if self._known.setdefault(resource.uri, resource) is not resource:
                raise Conflict(f"there are two resources {resource.uri!r}; rename one")
        self._versions = versions or Versions()
        self._bookmark_seconds = bookmark_seconds
        self._feeds: dict[str, Feed] = {}

    def all(self) -> list[Resource]:
        """List them by address, templates last."""
        return sorted(self._known.values(), key=lambda r: (r.is_template, r.uri))

    def find(self, uri: str) -> tuple[Resource, str, Values]:
        """Find the resource of an address; give the address as it is written here as well.

        An address with stars finds one that stands for all of that form.

        Raises:
            BadAddress: it is no address.
            NotFound: no resource has it; the message names the nearest.
        """
        if pattern := Pattern.parse(uri):
            if found := matched(pattern, self.all()):
                return found, found.uri, {}
            raise self._missing(pattern)
        address = Uri.parse(uri)
        for resource in self.all():
            values = resource.template.match(address)
            if values is not None:
                return resource, str(address), values
        raise self._missing(address)

    def _missing(self, address: Uri | Pattern) -> NotFound:
        near = nearest(str(address), [one.template.like(str(address)) for one in self.all()])
        hint = f"did you mean {near!r}?" if near else "`aima get` lists them"
        return NotFound(f"there is no resource {str(address)!r}; {hint}")

    async def read(self, uri: str) -> Snapshot:
        """Read a resource.

        Raises:
            BadAddress, NotFound: there is none at this address.
            AimaError: what its domain says.
        """
        return await self.feed(uri).read()

    async def watch(
        self, uri: str, since: int | None = None, *, pause_seconds: float = 0.0
    ) -> AsyncGenerator[Change]:
        """Tell each change of a resource, as :meth:`Feed.watch` does."""
        changes = self.feed(uri).watch(since, pause_seconds=pause_seconds)
        async with aclosing(changes) as told:
            async for change in told:
                yield change

    def feed(self, uri: str) -> Feed:
        """Give the feed of an address, which all who read or watch it share.

        Raises:
            BadAddress, NotFound: there is none at this address.
        """
        resource, written, values = self.find(uri)
        feed = self._feeds.pop(written, None) or Feed(
            resource, written, values, self._versions, bookmark_seconds=self._bookmark_seconds
        )
        self._feeds[written] = feed  # the one that was used last is the last to be forgotten
        idle = [u for u, f in self._feeds.items() if not f.watchers and u != written]
        for forgotten in idle[: max(len(self._feeds) - MOST_FEEDS, 0)]:
            del self._feeds[forgotten]
        return feed

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return sum(feed.watchers for feed in self._feeds.values())
