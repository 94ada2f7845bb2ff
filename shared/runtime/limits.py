"""The limits of a runner, each once, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What bounds a consumer.

    partitions        of every topic, for life (design 2); fewer in tests.
    batch             records of one poll: a fold of some 150 ms, which yields to the event loop.
    budget            subjects touched in one transaction, and records folded for it: locks and
                      repetition of half a second at most. Each transaction is about ten
                      statements. Fewer for a while after a conflict (`worker.CONFLICT_BUDGET`).
    in_a_row          records parked in a row, after which a partition stops: a bad deployment must
                      not park everything.
    share, window     `share` parked records of the last `window` stop it as well: 1 %.
    hot               states kept in memory: about a gigabyte of people.
    poll_ms           wait for records; FastStream sleeps as long again after an empty poll.
    partition_bytes   a fetch of one partition.
    session_ms        time without a heartbeat after which the group removes a member.
    longest_pause     between tries to claim: so soon a database that is back is noticed.
    mirror_seconds    between commits for lag tools.
    recheck_seconds   between new tries of a halted partition: the cause may be repaired.
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
        """Give the interval of heartbeats: the group removes a member after three lost ones."""
        return self.session_ms // 3
