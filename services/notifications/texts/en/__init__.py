"""The texts in English, each the twin of one in Indonesian."""
