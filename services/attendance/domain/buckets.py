"""Under which day a check-in is kept, before anything says to which workday it belongs."""

from shared.kernel.local_time import DAY, EPOCH_DAY

SHIFT = 8 * 3_600  # By the date at UTC+8: nearly always its workday.


def bucket_of(instant: int) -> int:
    """Give the day under which a check-in is kept, whatever workday it belongs to."""
    return (instant + SHIFT) // DAY + EPOCH_DAY
