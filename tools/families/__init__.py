"""Tiny models of every family of encoders, and `python -m tools.families`, which tries each."""
