"""Inference engines, one protocol for each file."""
