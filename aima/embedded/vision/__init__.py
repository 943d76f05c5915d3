"""What the engine finds in pictures: things, text, colours, light."""
