"""A language server: what `aima check` knows, while one types."""
