"""Experiments that decided something once: each module asks one question, RESULTS.md has its answer."""
