"""Models: backbones, windows, training, inference.  The only room that imports torch."""
