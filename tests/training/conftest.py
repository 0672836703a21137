"""The tiny backbones that the tests of models use, for the tests of training."""

from __future__ import annotations

from tests.modeling.conftest import articles, backbone, family, unigram_folder, wordpiece_folder

__all__ = ["articles", "backbone", "family", "unigram_folder", "wordpiece_folder"]
