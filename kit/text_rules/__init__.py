"""Answers: the text rules that tidy them."""
