"""The outbox and its relay: what was committed is published, in the order of commits."""
