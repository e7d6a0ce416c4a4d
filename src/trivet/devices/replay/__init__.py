"""devices/replay."""
