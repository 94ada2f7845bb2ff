"""Rules that more than one service needs, each written once: pure, and small on purpose."""
