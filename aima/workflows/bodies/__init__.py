"""What a step can do: one module for each body, found by being here."""
