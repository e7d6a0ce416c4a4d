"""devices/world."""
