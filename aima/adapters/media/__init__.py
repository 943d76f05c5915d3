"""Sound and pictures, decoded where they can do no harm."""
