"""Engines that run on this machine: one file for each way, and the story they share.

:mod:`.setup` is what the settings say of an engine; :mod:`.startable` is what an engine's class
gets from here; :mod:`.package` and :mod:`.program` run processes (:mod:`.process`, which
:mod:`.launch` starts), :mod:`.container` runs containers (through :mod:`.docker`).
"""
