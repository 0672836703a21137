"""The notebook of `kit notebook`: its chapters in two languages, and the writer of the .ipynb file."""
