"""Fuzzing of every decoder that meets the network or a file of another device."""
