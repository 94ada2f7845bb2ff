"""Recovers a service whose tables are lost or outdated: folds the log again, and compares."""
