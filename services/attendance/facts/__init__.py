"""Facts in their envelopes, and how they are published and forgotten."""
