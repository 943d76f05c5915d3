"""Workflows at the door: kept, checked, drawn, applied, and started by hooks."""
