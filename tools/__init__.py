"""Commands for developers of the kit; run them from the project's root, as in `python -m tools.families`."""
