"""OpenAI's Responses API, in front of every engine that answers chats."""
