"""What a chaos node does of itself while it is struck: one file a promise."""
