"""When a process is told to stop."""

import asyncio
import signal

import structlog

log = structlog.get_logger()


def stop_on_signals() -> asyncio.Event:
    """Give an event that SIGTERM or SIGINT sets; a second signal ends the process as it would."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _told_to_stop, stopping, number, loop)
    return stopping


def _told_to_stop(
    stopping: asyncio.Event, number: signal.Signals, loop: asyncio.AbstractEventLoop
) -> None:
    log.info("stop_requested", signal=number.name)
    stopping.set()
    loop.remove_signal_handler(number)  # Who asks a second time does not want to wait.


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer than so many seconds."""
    await asyncio.wait([waiting := asyncio.ensure_future(event.wait())], timeout=seconds)
    waiting.cancel()
