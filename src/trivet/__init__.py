"""trivet: a phone, a car and a home as one system, with no cloud in between."""

__version__ = "0.1.0"
