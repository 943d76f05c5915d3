"""OpenAI's API in front of engines that do not speak it: one file for each thing to ask."""
