"""The commands as functions: NAME.py has what ``kit NAME`` does; ``import kit`` offers them to notebooks.

Heavy libraries are imported inside the functions that need them.
"""
