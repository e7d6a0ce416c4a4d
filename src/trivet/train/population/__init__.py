"""A population of made-up people: their towns, days, ways, and what a phone records."""

from trivet.train.population.life import live

__all__ = ["live"]
