"""Engines that think nothing and answer at once, to test against: public test equipment.

    async with fake("ollama", Faults(tokens=50)) as engine:
        client = ollama.AsyncClient(host=engine.url)

Each dialect speaks one product's protocol well enough for that product's own client library. What
goes wrong is said in :class:`Faults`, and may be changed while it runs (``engine.faults``, or
``POST /__faults``). ``python -m aima.testing.engines DIALECT --port P`` runs one by itself.
"""

from aima.testing.engines.faults import Faults
from aima.testing.engines.server import DIALECTS, FakeEngine, fake

__all__ = ["DIALECTS", "FakeEngine", "Faults", "fake"]
