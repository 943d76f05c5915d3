"""Runs at the door: started, followed, answered, and what they made."""
