"""Answers shown while they are made, beside Temporal and never through its history.

The worker that makes an answer sends its pieces to the hub, which lives with the door
(:mod:`.publisher`); whoever watches reads there, from the beginning, however late it comes
(:mod:`.hub`). What a step leaves behind is the durable truth: a stream is lost with the hub, and
no run notices. An attempt that begins again begins its stream again.
"""
