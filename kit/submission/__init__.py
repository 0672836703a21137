"""The submission CSV, its card, its local estimate, and sending it to Kaggle."""
