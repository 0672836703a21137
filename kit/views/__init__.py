"""What each command prints: calls a verb, shows its result as a table or as JSON.  No logic of their own."""
