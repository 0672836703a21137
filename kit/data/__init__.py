"""Questions: the records that travel, the readers that make them, the checks that guard them."""
