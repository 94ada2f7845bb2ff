"""Why a partition stands still: a value that metrics, cursors and people read alike."""

from typing import Literal, NamedTuple, assert_never, get_args

HaltKind = Literal[
    "gap",
    "broadcast",
    "fold_version",
    "told",
    "brake",
    "history_lost",
    "log_shorter",
    "another_log",
    "not_bootstrapped",
    "unknown",
]
HALT_KINDS: tuple[HaltKind, ...] = get_args(HaltKind)


class Halt(NamedTuple):
    """What stops a partition at its cursor. `detail` is for people; nothing reads it back."""

    kind: HaltKind
    detail: str


def waits_for_operator(kind: HaltKind) -> bool:
    """Say whether somebody must let the partition go on; else looking at it again is enough.

    `unknown` was stored by another version of this code: only a person can judge it.
    """
    match kind:
        case "brake" | "unknown":
            return True
        case (
            "gap"
            | "broadcast"
            | "fold_version"
            | "told"
            | "history_lost"
            | "log_shorter"
            | "another_log"
            | "not_bootstrapped"
        ):
            return False
        case _:
            assert_never(kind)


# Halts that a claim clears: it checks again, and halts again if the cause is still there.
FORGOTTEN = tuple(kind for kind in HALT_KINDS if not waits_for_operator(kind))


def stored(kind: str | None, detail: str | None) -> Halt | None:
    """Give the halt of a cursor's row; None if it goes on."""
    if detail is None:
        return None
    known: list[HaltKind] = [each for each in HALT_KINDS if each == kind]
    return Halt(known[0] if known else "unknown", detail)
