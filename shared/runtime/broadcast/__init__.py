"""Broadcasts: numbered, and written to every partition in one order."""
