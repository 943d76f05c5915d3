"""Workflows as pictures: what runs after what, what runs side by side, what may not run."""
