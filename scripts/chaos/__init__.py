"""Breaks a household on purpose, and checks that what it promised still holds."""
