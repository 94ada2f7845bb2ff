"""Where a record's partition is: the one pair of words for it in every package."""

TopicPartition = tuple[str, int]  # Topic and partition.
