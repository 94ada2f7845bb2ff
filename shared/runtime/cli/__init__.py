"""`tertib`: the one entry point, and the commands that belong to no service."""
