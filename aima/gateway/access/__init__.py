"""Who may do what at the door, how often, and what is written down of it."""
