"""From the name of a model to an answer: which instance is asked, when, and who is asked next.

A request goes to the instance with the fewest requests under way; one with a ``session`` to that
session's own. An instance that keeps failing rests (:mod:`.breaker`); a full one lets wait, in
line and up to a bound (:mod:`.router`). Before the first piece of an answer a failed request is
tried on another instance, as far as the budget for that goes (:mod:`.budget`); after it never.
"""
