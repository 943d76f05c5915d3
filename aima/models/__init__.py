"""Models as data: what there is, where it comes from, and the folder that keeps it."""
