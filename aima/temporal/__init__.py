"""Where AIMA meets Temporal."""
