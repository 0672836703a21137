"""The server of the Kaggle tests, with kernels."""

from __future__ import annotations

from tests.kaggle.conftest import kaggle

__all__ = ["kaggle"]
