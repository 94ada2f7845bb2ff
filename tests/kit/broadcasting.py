"""Envelopes of nothing in particular, and a broadcaster as a process that can be killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from shared.events.envelope import Envelope, fact_id
from shared.runtime.broadcast.broadcaster import DIED_HERE, Broadcaster

ROOT = str(Path(__file__).parents[2])
PATIENCE = 60.0
DAY = "2026-01-05T12:00:00+08:00"


def said(kind: str, subject: str, number: int, text: str = "") -> Envelope:
    """Say something of a subject; kind, subject and number make the id."""
    return Envelope(
        data={"number": number, "text": text},
        id=fact_id(kind, subject, number),
        recordedtime=DAY,
        regency="53.01",
        source="/toy",
        subject=subject,
        time=DAY,
        type=f"tertib.toy.{kind}.v1",
    )


def closing(number: int, text: str = "") -> Envelope:
    """Say something to everybody."""
    return said("DayClosed", "53.01", number, text)


def tap(person: str, number: int) -> Envelope:
    """Say something of one person."""
    return said("Tapped", person, number)


async def begin_doomed(url: str, bootstrap: str, topic: str, dies_after: int) -> Process:
    """Start a broadcaster that dies after so many partitions; return when it holds the lock."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kit.broadcasting",
        url,
        bootstrap,
        topic,
        env={**os.environ, "TERTIB_FAILPOINT": f"{DIED_HERE}:{dies_after}", "PYTHONPATH": ROOT},
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while (line := await process.stdout.readline()).strip() != b"entered":
            assert line, "it ended before it entered"
    return process


async def let_die(process: Process, numbers: range) -> None:
    """Let it broadcast these, which it does not outlive; fail if it does."""
    assert process.stdin is not None
    process.stdin.write(f"{numbers.start} {numbers.stop}\n".encode())
    process.stdin.close()
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == -signal.SIGKILL


async def _main(url: str, bootstrap: str, topic: str) -> None:
    async with Broadcaster(url, bootstrap, topic) as broadcaster:
        print("entered", flush=True)  # noqa: T201  (to the test that started it)
        numbers = await asyncio.to_thread(sys.stdin.readline)
        start, stop = map(int, numbers.split())
        await broadcaster.broadcast([closing(number) for number in range(start, stop)])


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
