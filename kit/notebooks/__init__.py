"""The notebook that walks the whole road: its chapters in two languages, and what makes one of them."""
