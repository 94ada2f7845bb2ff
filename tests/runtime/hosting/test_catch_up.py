"""When everything is settled, and when it never will be."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from confluent_kafka import Producer

from shared.runtime.hosting import catch_up
from shared.runtime.hosting.catch_up import (
    CannotCatchUpError,
    Remaining,
    wait_until_caught_up,
    what_is_left,
)
from shared.runtime.kafka import admin
from shared.runtime.settings import Settings


def status(
    cursors: dict[str, dict[str, int]],
    *,
    unsent: bool = False,
    stopped: str | None = None,
    due: int = 0,
    refused: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Give what a service with one group tells of itself."""
    (topic,) = cursors
    stands = [{"topic": topic, "partition": 1, "reason": stopped}] if stopped else []
    group = {
        "schema": "s",
        "cursors": cursors,
        "stopped": stands,
        "refused": refused,
        "parked": {"records": 0, "subjects": 0},
    }
    return {
        "groups": {"one.group@1": group},
        "outboxes": {"events": {"unsent": False}, "facts": {"unsent": unsent}},
        "parts": {"sender": {"due": due}} if due else {},
    }


def test_records_behind_the_ends_are_left() -> None:
    left = what_is_left({"one": status({"t": {"0": 3, "1": 5}})}, {("t", 0): 7, ("t", 1): 5})

    assert left == Remaining(records=4)


def test_a_cursor_that_passed_the_end_that_was_asked_for_is_not_behind() -> None:
    """The ends are asked before the cursors: a cursor may be further on."""
    left = what_is_left({"one": status({"t": {"0": 9}})}, {("t", 0): 7})

    assert left.nothing


def test_events_that_are_not_published_are_left() -> None:
    left = what_is_left({"one": status({"t": {"0": 7}}, unsent=True)}, {("t", 0): 7})

    assert left == Remaining(records=0, unsent=("one facts",))


def test_notices_that_are_due_are_left() -> None:
    left = what_is_left({"one": status({"t": {"0": 7}}, due=2)}, {("t", 0): 7})

    assert not left.nothing


def test_a_stopped_partition_ends_the_wait_and_is_named() -> None:
    stopped = status({"t": {"0": 7}}, stopped="history lost")

    with pytest.raises(CannotCatchUpError, match=r"one\.group@1, t/1: history lost"):
        what_is_left({"one": stopped}, {("t", 0): 7})


def test_a_database_that_refuses_every_write_ends_the_wait_and_is_named() -> None:
    """Nothing would ever come of it: whoever waits must not wait for ever."""
    error = 'UndefinedColumnError: column "x" does not exist'
    refusing = status({"t": {"0": 7}}, refused={"times": 3, "error": error, "passing": False})

    with pytest.raises(CannotCatchUpError, match=r"one\.group@1: UndefinedColumnError"):
        what_is_left({"one": refusing}, {("t", 0): 9})


@pytest.mark.parametrize(("times", "passing"), [(2, False), (30, True)])
def test_what_may_pass_by_itself_is_waited_for(times: int, *, passing: bool) -> None:
    run = {"times": times, "error": "TooManyConnectionsError", "passing": passing}

    assert what_is_left({"one": status({"t": {"0": 7}}, refused=run)}, {("t", 0): 9}).records == 2


class Answering(BaseHTTPRequestHandler):
    """Tells, one after the other, what the test says that the service tells."""

    told: list[dict[str, Any]]

    def do_GET(self) -> None:
        said = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def service() -> Iterator[tuple[str, type[Answering]]]:
    """Give a service's address, and the handler that is told what to tell."""

    class Handler(Answering):
        told: list[dict[str, Any]] = []  # noqa: RUF012  (one for each test)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    server.shutdown()
    thread.join()
    server.server_close()


async def test_it_waits_until_the_cursors_reach_the_brokers_ends(
    bootstrap: str, topic_prefix: str, service: tuple[str, type[Answering]]
) -> None:
    """The ends are the brokers', the cursors the service's: nobody else is asked."""
    topic = f"{topic_prefix}facts.v1"
    await admin.ensure(bootstrap, [topic])
    producer = Producer({"bootstrap.servers": bootstrap})
    for _ in range(4):
        producer.produce(topic, b"{}", partition=3)
    producer.flush()
    address, handler = service
    handler.told = [status({topic: {"3": offset, "4": 0}}) for offset in (0, 0, 2, 4)]
    seen: list[int] = []

    await wait_until_caught_up(
        Settings(bootstrap, {}, status_urls={"one": address}),
        lambda left: seen.append(left.records),
    )

    assert seen == [4, 2, 0]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give an address at which nobody answers; it is not waited for long."""
    monkeypatch.setattr(catch_up, "SILENT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


async def test_if_nobody_answers_the_wait_ends_and_all_are_named(
    bootstrap: str, nobody: str
) -> None:
    with pytest.raises(CannotCatchUpError, match=f"one does not answer at {nobody}/status: see"):
        await wait_until_caught_up(Settings(bootstrap, {}, status_urls={"one": nobody}))


async def test_a_dead_service_is_named_and_the_others_are_waited_for(
    bootstrap: str, topic_prefix: str, service: tuple[str, type[Answering]], nobody: str
) -> None:
    """One that cannot start does not stop the loads of the others (issue: bad endings)."""
    topic = f"{topic_prefix}facts.v1"
    await admin.ensure(bootstrap, [topic])
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, b"{}", partition=3)
    producer.flush()
    address, handler = service
    handler.told = [status({topic: {"3": offset}}) for offset in (0, 0, 1)]
    urls = {"one": address, "two": nobody}
    seen: list[int] = []

    left = await wait_until_caught_up(
        Settings(bootstrap, {}, status_urls=urls), lambda now: seen.append(now.records)
    )

    assert seen == [1, 0]
    assert left.nothing
    assert left.gone == {"two": f"does not answer at {nobody}/status"}


async def test_without_any_service_one_is_told_what_to_do() -> None:
    with pytest.raises(CannotCatchUpError, match="tertib up"):
        await wait_until_caught_up(Settings("nowhere:1", {}))
