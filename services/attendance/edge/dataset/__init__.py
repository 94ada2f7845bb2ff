"""A dataset folder (design 8.1): every file of it read into typed rows, and what is wrong with it."""
