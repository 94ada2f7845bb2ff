"""The HTTP server that services answer with."""
