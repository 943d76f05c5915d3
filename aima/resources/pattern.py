"""Many resources under one address: `asms://device/*/metrics` stands for that of each device.

A star is a whole part of an address. Which there are is told by the collection that lists them:
the devices, say, of which each has metrics. Where the collection lists the very addresses that
are wanted, they show what it shows, for one look at all; others are read one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from aima.errors import AimaError, NotFound, TooLarge
from aima.resources.resource import Data, Resource, Values
from aima.resources.uri import Pattern, Template, Uri

MOST_MATCHED = 500
"""Resources that one pattern may stand for where each is read by itself."""
AT_ONCE = 8


@dataclass(frozen=True)
class Matched(Resource):
    """All resources whose addresses are of a pattern.

    Attributes:
        needs: what whoever reads or watches them must be allowed to do.
    """

    needs: tuple[str, ...] = field(default=())

    def permissions(self) -> tuple[str, ...]:
        """Tell what is needed for each of them."""
        return self.needs

    def items(self, uri: str, data: Data) -> dict[str, Data]:
        """Give each by its address."""
        del uri
        return {row["uri"]: row["data"] for row in data["items"]}


def matched(pattern: Pattern, known: Sequence[Resource]) -> Matched | None:
    """Make one resource of all that have an address of a pattern; None where none can have one.

    Raises:
        NotFound: nothing lists them.
    """
    families = [resource for resource in known if pattern.fits(resource.template)]
    if not families:
        return None
    sources = [_source(pattern, family, known) for family in families]

    async def read(_: Values) -> Data:
        found: dict[str, Data] = {}
        for source in sources:
            found |= await source.read()
        return {"items": [{"uri": uri, "data": found[uri]} for uri in sorted(found)]}

    lists = [source.lister for source in sources if source.lister is not None]
    return Matched(
        template=Template(str(pattern), pattern.domain, ()),
        title=f"All of {pattern}",
        permission=families[0].permission,
        read=read,
        interval_seconds=max(one.interval_seconds for one in (*families, *lists)),
        needs=tuple(dict.fromkeys(one.permission for one in (*families, *lists))),
    )


@dataclass(frozen=True)
class _Source:
    """Resources of one template that a pattern stands for.

    Attributes:
        values: what stands for its variables in the pattern.
        lister: the collection that tells what may stand for the one that is a star.
    """

    pattern: Pattern
    family: Resource
    values: Values
    lister: Resource | None

    async def read(self) -> dict[str, Data]:
        """Give each that there is, by its address."""
        if self.lister is None:
            return await self._each([self.values])
        listed = self.lister.items(self.lister.uri, await self.lister.read({}))
        member = cast("Template", self.lister.member)
        if member.parts == self.family.template.parts:
            return listed
        wanted = [cast("Values", member.match(Uri.parse(uri))) for uri in listed]
        return await self._each(wanted)

    async def _each(self, wanted: Sequence[Values]) -> dict[str, Data]:
        """Read some one by one; one that cannot be read shows why, and holds no other up."""
        if len(wanted) > MOST_MATCHED:
            raise TooLarge(
                f"{str(self.pattern)!r} stands for {len(wanted)} resources, more than "
                f"{MOST_MATCHED}; name them, or read {cast('Resource', self.lister).uri!r}"
            )
        places = asyncio.Semaphore(AT_ONCE)

        async def one(values: Values) -> tuple[str, Data | None]:
            uri = self.family.template.expand(values)
            async with places:
                try:
                    return uri, await self.family.read(values)
                except NotFound:  # it has just gone
                    return uri, None
                except AimaError as error:
                    return uri, {"error": {"code": error.code, "detail": error.message}}

        found = await asyncio.gather(*map(one, wanted))
        return {uri: data for uri, data in found if data is not None}


def _source(pattern: Pattern, family: Resource, known: Iterable[Resource]) -> _Source:
    """Find out which resources of a family there are.

    Raises:
        NotFound: nothing tells.
    """
    values, stars = _values(pattern, family.template)
    if not stars:
        return _Source(pattern, family, values, None)
    lister = next((one for one in known if _lists(one, family.template, values)), None)
    if lister is None:
        raise NotFound(f"nothing lists what the star in {str(pattern)!r} may stand for; name each")
    return _Source(pattern, family, values, lister)


def _values(pattern: Pattern, template: Template) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Tell what stands for the variables of a template, and which of them are stars."""
    named = dict(zip(template.variable_parts(), template.variables, strict=True))
    given = {name: pattern.parts[place] for place, name in named.items()}
    known = {name: part for name, part in given.items() if part is not None}
    return known, tuple(name for name in given if name not in known)


def _lists(collection: Resource, template: Template, known: Values) -> bool:
    """Tell whether a collection lists what a template's only variable may stand for."""
    member = collection.member
    if member is None or collection.is_template or known or len(template.variables) != 1:
        return False
    [place] = template.variable_parts()
    same = member.parts[: place + 1] == template.parts[: place + 1]
    return member.domain == template.domain and same
