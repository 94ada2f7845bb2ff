"""A service as a process: what it runs, its health, its metrics, its end."""
