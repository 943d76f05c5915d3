"""Events and resources at the door: read, listed, watched."""
