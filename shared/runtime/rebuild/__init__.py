"""Folds projections again beside the live tables, compares with what was published, switches."""
