"""The ways to a recipient: the in-app inbox, mail, and webhooks of messaging gateways."""
