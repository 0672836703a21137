"""What ``kit train``, ``kit predict`` and ``kit sweep`` print."""
