"""The servers' own log files: kept short, and quoted when something fails."""

from pathlib import Path

LARGEST_BYTES = 20_000_000


def rotate(log: Path) -> None:
    """Before a start: move a log that has grown large aside, over the one moved aside before."""
    if log.exists() and log.stat().st_size > LARGEST_BYTES:
        log.replace(log.with_name(log.name + ".old"))


def last_lines(log: Path, count: int) -> str:
    """Give the last lines of a log, or say that it has none."""
    if not log.exists():
        return "(nothing was written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) or "(it is empty)"
