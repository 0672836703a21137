"""The second stage: gradient-boosted trees that choose among the candidates of a blend."""
