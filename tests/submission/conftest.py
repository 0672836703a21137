"""The fixture `kaggle`: a running server with the calls of submissions, and an account on it."""

from tests.kaggle import serving_submissions  # noqa: F401  (its methods of the server)
from tests.kaggle.conftest import kaggle

__all__ = ["kaggle"]
