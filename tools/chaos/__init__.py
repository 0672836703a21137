"""Crash tests: commands are killed, or the file system fails, at many moments; the next run must succeed."""
