"""State as tables: queries, and the formats they are written in."""
