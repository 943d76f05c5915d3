"""Where people keep their files."""
