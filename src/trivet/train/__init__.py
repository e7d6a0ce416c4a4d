"""Training: from many people's lives to a student that fits into a phone."""
