"""Projections folded anew beside the live tables, compared with what was published, switched."""
