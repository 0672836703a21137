"""Fitting a recipe on out-of-fold scores, and an honest table of what each part of it gains."""
