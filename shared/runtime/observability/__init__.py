"""Logs, and the ids by which lines about one record belong together."""
