"""The version: one place, below every room that stamps it on what it writes."""

__version__ = "0.2.0"
