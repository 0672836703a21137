"""Commands that die, or that the file system fails, at many moments; after each the next run succeeds."""
