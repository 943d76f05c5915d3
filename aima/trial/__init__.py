"""Trying workflows without their units: stand-ins, skipped time, and what was expected."""
