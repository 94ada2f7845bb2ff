"""A dataset's facts in the order they became known, published or previewed."""
