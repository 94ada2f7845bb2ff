"""What stands in the logs, and what never does."""

import ast
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog

from shared.runtime.observability import log

NIP = "198001012005011001"  # Valid in form, and nobody's.


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_fields(written: io.StringIO) -> None:
    structlog.get_logger().info("batch_taken", records=812, place=("facts", 3))

    (line,) = lines(written)
    assert line["event"] == "batch_taken"
    assert line["level"] == "info"
    assert (line["records"], line["place"]) == (812, ["facts", 3])
    assert line["timestamp"].endswith("Z")


def test_a_key_that_is_not_on_the_list_is_dropped(written: io.StringIO) -> None:
    """Reliability 6: an allow-list, because nobody foresees every name of a name."""
    structlog.get_logger().info("batch_taken", records=1, employee_name="Made Up")

    assert "Made Up" not in written.getvalue()


def test_ids_of_the_chain_are_bound_for_all_that_is_logged_meanwhile(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(correlation_id="c1", causation_id="c2"):
        structlog.get_logger().info("notice_sent")
    structlog.get_logger().info("batch_taken")

    first, second = lines(written)
    assert (first["correlation_id"], first["causation_id"]) == ("c1", "c2")
    assert "correlation_id" not in second


@pytest.mark.parametrize(
    "canary",
    [
        NIP,
        "5301011203900001",
        "19800101 200501 1 001",
        "made.up@example.go.id",
        "081234567890",
        "+62 812-3456-7890",
        "6281234567890",
    ],
)
def test_numbers_and_addresses_are_masked_wherever_they_stand(
    written: io.StringIO, canary: str
) -> None:
    """A backstop: keys that are allowed carry texts now and then."""
    structlog.get_logger().warning("record_parked", reason=f"said {canary}.", place=[canary])
    logging.getLogger("aiokafka").error("cannot send %s", canary)

    assert canary not in written.getvalue()
    assert len(lines(written)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "0199a8f0-5c1e-5d0b-8a66-081234567890",
        "offset 1234567890 of attendance.facts.v1",
        "2026-03-02T07:30:00+08:00",
        "/attendance/E-000123@45",
    ],
)
def test_ids_offsets_and_times_are_left_as_they_are(text: str) -> None:
    assert log.masked(text) == text


def test_a_number_of_sixteen_digits_is_masked_as_a_number_too(written: io.StringIO) -> None:
    structlog.get_logger().info("batch_taken", id=int(NIP))

    assert NIP not in written.getvalue()


@pytest.mark.parametrize("speaks", [structlog.get_logger(), logging.getLogger("asyncio")])
def test_a_traceback_says_where_but_quotes_nothing(
    written: io.StringIO, speaks: logging.Logger
) -> None:
    """An exception's text quotes what it stumbled over, and its locals hold the person."""
    name = "Made Up"
    try:
        int(name)
    except ValueError:
        speaks.exception("task_failed")

    (line,) = lines(written)
    assert "ValueError at " in line["exception"]
    assert "test_a_traceback_says_where" in line["exception"]
    assert name not in written.getvalue()


def test_of_a_librarys_message_the_first_line_is_kept(written: io.StringIO) -> None:
    """The event loop appends the failed task, and the task quotes its exception."""
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: 'Made Up'")

    (line,) = lines(written)
    assert line["event"] == "Task exception was never retrieved"
    assert line["logger"] == "asyncio"


def test_every_key_that_the_code_logs_is_on_the_list() -> None:
    """A key that is dropped in silence would be missed when it is needed."""
    used = set()
    for path in (*Path("shared").rglob("*.py"), *Path("services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _is_logging(node.func):
                used |= {word.arg for word in node.keywords if word.arg} - {"exc_info"}

    assert {"group", "records"} <= used  # The search finds something.
    assert used <= log.KEYS


def _is_logging(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "log"
        and function.attr in {"debug", "info", "warning", "error", "exception", "critical"}
    )
