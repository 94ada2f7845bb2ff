"""A service whose tables are lost, or behind what it said: folded anew, compared, gone on with."""
