"""The limits of a runner, each once, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What bounds a consumer.

    batch            records a poll may bring: a fold of some 50 ms, so that heartbeats are sent.
    budget           subjects touched in one transaction: bounded locks and a bounded repetition.
    brake            records parked in a row before the partition stops: a bad deployment must not
                     park everything.
    hot              states kept in memory: about a gigabyte of people.
    poll_ms          wait for records; FastStream sleeps as long again after an empty poll.
    partition_bytes  a fetch of one partition.
    session_ms       silence after which a member is given up.
    mirror_seconds   between commits for lag tools.
    """

    partitions: int = 24
    batch: int = 5_000
    budget: int = 10_000
    brake: int = 20
    hot: int = 200_000
    poll_ms: int = 20
    partition_bytes: int = 4 << 20
    session_ms: int = 10_000
    mirror_seconds: float = 5.0
