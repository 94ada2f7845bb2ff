"""Records that could not be applied: queued per subject, retried, discarded."""
