"""The facts and events that services publish: the only words they have in common."""
