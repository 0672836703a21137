"""The competition: the submission CSV, its card, and what is sent to Kaggle."""
