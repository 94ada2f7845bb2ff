"""What is fast and what it is measured against: a file a question, ratios in one run."""
