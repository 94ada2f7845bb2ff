"""A dataset folder (design 8.1): its files read into typed rows, and what is wrong."""
