"""Kaggle through its official client: credentials, calls that end, and failures by their kind."""
