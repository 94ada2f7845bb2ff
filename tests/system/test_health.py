"""What services say of themselves, held against the brokers; also while these are frozen."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.system.whole import SERVICES, Whole, ask, until

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("office")]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_has_caught_up_says_so(whole: Whole, service: str) -> None:
    """Cursors stand at the very ends of the topics, and the lag is none."""
    port, ends = whole.health_port(service), whole.ends()

    assert ask(port, "/livez")[0] == 200
    assert ask(port, "/readyz") == (200, '{"ok": true, "reasons": []}\n')
    told = json.loads(ask(port, "/status")[1])
    groups = told["groups"].values()
    cursors = {
        (topic, int(number)): offset
        for group in groups
        for topic, partitions in group["cursors"].items()
        for number, offset in partitions.items()
    }
    assert told["service"] == service
    assert len(cursors) >= 24
    assert cursors == {place: ends[place] for place in cursors}
    outboxes = {"events", "facts"} if service == "attendance" else {"events"}
    assert {name: each["unsent"] for name, each in told["outboxes"].items()} == dict.fromkeys(
        outboxes, False
    )
    assert [group["stopped"] for group in groups] == [[] for _ in groups]

    metrics = ask(port, "/metrics")[1]
    lags = re.findall(r"^tertib_cursor_lag_records\{.*\} (.*)$", metrics, re.MULTILINE)
    assert len(lags) == len(cursors)
    assert {float(lag) for lag in lags} == {0.0}


def test_what_is_not_there_and_not_allowed(whole: Whole) -> None:
    assert ask(whole.health_port("attendance"), "/")[0] == 404


def test_brokers_that_are_silent_make_all_unready_and_ready_again(
    whole: Whole, office: Path
) -> None:
    """Readiness tells the truth about the consumer loop, not only about a ping."""
    ports = [whole.health_port(service) for service in SERVICES]
    kafka = next(one["pid"] for one in whole.status()["servers"] if one["name"] == "kafka-1")
    os.kill(kafka, signal.SIGSTOP)
    try:
        for port in ports:
            until(lambda port=port: ask(port, "/readyz")[0] == 503, "still ready", 15)  # type: ignore[misc]  # Its default binds the loop's value.
            assert "the brokers do not answer" in ask(port, "/readyz")[1]
            assert ask(port, "/livez")[0] == 200  # To be started again would not help.
        assert whole.tertib("status", code=1)
    finally:
        os.kill(kafka, signal.SIGCONT)
    for port in ports:
        until(lambda port=port: ask(port, "/readyz")[0] == 200, "not ready again", 60)  # type: ignore[misc]  # As above.

    assert whole.backfill(office)["rows"]["new facts"] == 0
