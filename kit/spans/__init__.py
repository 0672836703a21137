"""Spans: a member's scores on the characters of the context, and the way from them to an answer."""
