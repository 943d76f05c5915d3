"""The engine that comes with AIMA: real models behind the OpenAI-compatible protocol."""
