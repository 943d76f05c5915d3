"""What a step can have: one module for each modifier, found by being here."""
