"""Forecasts on recorded and simulated lives, judged."""
