"""Units at the door: commands, queries, and operations to wait for."""
