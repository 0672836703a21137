"""Reports: what a model gets wrong, as one self-contained HTML page or a few tables."""
