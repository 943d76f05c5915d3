"""From text to speech: plain text, words, phonemes, sound."""
