"""The server of the Kaggle tests, for the commands that talk to Kaggle."""

from __future__ import annotations

from tests.kaggle.conftest import kaggle

__all__ = ["kaggle"]
