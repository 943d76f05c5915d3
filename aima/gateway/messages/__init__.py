"""Anthropic's Messages API, in front of every engine that answers chats of OpenAI's."""
