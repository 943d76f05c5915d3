"""From YAML text to a plan: load, document, expression, check, compile."""
