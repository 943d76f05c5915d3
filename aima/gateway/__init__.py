"""The doors: each turns the catalogue into something to call."""
