"""The door that clients of OpenAI's API know."""
