"""Scores: distances between predictions and gold answers, and how sure we are of them."""
