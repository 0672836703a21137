"""Data files from Kaggle and from KorQuAD's site: checked, then put in place whole."""
