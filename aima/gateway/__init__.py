"""The doors: each turns the catalogue into something to call."""

MOST_BODY_BYTES = 10 << 20
"""Largest body of a request; larger things are put into the artifact store and referred to."""
