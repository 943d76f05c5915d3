"""What AIMA manages, to read and to watch: resources, each at an `asms://` address.

A resource shows what a query says (:class:`aima.unit.Shown`, beside the unit) or what the door
knows (:mod:`.models`, :mod:`.pipelines`). Whoever reads gets a version; whoever watches from that
version on hears of each change after it, and of the latest state where changes came faster than
they were read (:mod:`.feed`).
"""
