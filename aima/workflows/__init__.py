"""The interpreter: it runs plans inside Temporal, one file for each construct."""
