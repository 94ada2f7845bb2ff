"""The limits of a runner, each once, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What bounds a consumer.

    partitions        of every topic, for life (design 2); fewer in tests.
    batch             records a poll may bring: a fold of some 150 ms, in which the loop breathes.
    budget            subjects touched in one transaction, and records folded for it: locks and
                      repetition of half a second at most. Ten statements wait their turn in the
                      loop for each transaction. Fewer for a while when somebody was faster
                      (`worker.OVERTAKEN`).
    in_a_row          records parked without one applied between them before a partition stops: a
                      bad deployment must not park everything.
    share, window     so many records of the last so many parked stop it as well: 1 %.
    hot               states kept in memory: about a gigabyte of people.
    poll_ms           wait for records; FastStream sleeps as long again after an empty poll.
    partition_bytes   a fetch of one partition.
    session_ms        silence after which a member is given up.
    longest_pause     between tries to claim: a database that is back is found this soon.
    mirror_seconds    between commits for lag tools.
    recheck_seconds   between looks at a partition that stopped: what stopped it may be repaired.
    """

    partitions: int = 24
    batch: int = 10_000
    budget: int = 20_000
    in_a_row: int = 20
    share: int = 100
    window: int = 10_000
    hot: int = 200_000
    poll_ms: int = 20
    partition_bytes: int = 4 << 20
    session_ms: int = 10_000
    longest_pause: float = 5.0
    mirror_seconds: float = 5.0
    recheck_seconds: float = 30.0

    @property
    def heartbeat_ms(self) -> int:
        """Give the interval of heartbeats: three may be lost before a member is given up."""
        return self.session_ms // 3
