"""Logs: events in the past tense with fields, one line each, to standard error.

Only the keys listed here are written (an allow-list), so that no unexpected key brings a person's
name into a log. Masking is the second protection: numbers and addresses within texts.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from shared.errors import CannotRunError

# Codes, counts, places on the log, opaque ids. Never a text that a person wrote.
KEYS = frozenset(
    {
        *("event", "level", "timestamp", "logger", "exception"),
        *("correlation_id", "causation_id", "event_id", "notification_id"),
        *("service", "task", "signal", "host", "port", "path", "version", "schema"),
        *("topic", "partition", "offset", "place", "group", "generation", "epoch"),
        *("records", "told", "ignored", "parked", "published", "sent", "unsent", "rows"),
        *("first", "last", "count", "number", "broadcast", "broadcasts", "partitions", "topics"),
        *("outbox", "projection", "folded", "total", "compared", "unsaid"),
        *("seconds", "seconds_left", "tries", "attempts", "delay"),
        *("error", "reason", "kind", "state", "channel", "subject", "id", "action", "actor"),
    }
)

_MASKS = (
    # NIP and NIK, also as they are printed: 19800101 200501 1 001.
    (re.compile(r"(?<!\d)\d{8}[ .-]?\d{6}[ .-]?\d[ .-]?\d{3}(?!\d)"), "[number]"),
    (re.compile(r"(?<!\d)\d{16,18}(?!\d)"), "[number]"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[mail]"),
    (re.compile(r"(?<![\w-])(?:\+|0(?=8))\d[\d -]{7,15}\d(?![\w-])"), "[phone]"),
    (re.compile(r"(?<![\w-])628\d{7,11}(?![\w-])"), "[phone]"),
)

# Errors whose messages name machines only. Other messages may quote the value that failed.
_TELLING = ("aiokafka", "confluent_kafka", "cimpl")  # The last: confluent_kafka's own name.


def masked(text: str) -> str:
    """Mask numbers of 16 to 18 digits, mail addresses and telephone numbers in a text."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def configure(form: Literal["json", "pretty"], out: TextIO | None = None) -> None:
    """Send everything that this process logs, libraries included, through one chain.

    Once per process, before anything is logged. `out` is standard error unless a test reads it.
    """
    stream = out or sys.stderr
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _traced,
        _allowed,
        _masked,
    ]
    last = _renderer(form, stream)
    structlog.configure(
        processors=[*before, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Foreign(foreign_pre_chain=[_named, *before], processors=[_clean, last]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # Libraries write too much at INFO.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.captureWarnings(capture=True)


def frames(error: BaseException) -> str:
    """Give where an error came from: types and lines, no local values, no quoting message.

    Causes come first. Shapes: one line an error, `Type at file:line in function < …`.
    """
    lines: list[str] = []
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        lines.append(_line(each))
        lines += [frames(part) for part in getattr(each, "exceptions", ())]  # A task group's.
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\n".join(reversed(lines))


def _line(error: BaseException) -> str:
    places = [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} in {frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    ]
    is_telling = isinstance(error, OSError | ImportError | CannotRunError) or type(
        error
    ).__module__.startswith(_TELLING)
    text = f": {error}" if is_telling else ""
    return f"{type(error).__name__}{text}" + (f" at {' < '.join(places)}" if places else "")


class _Foreign(structlog.stdlib.ProcessorFormatter):
    """Formats what libraries log: the first line only, as the others quote objects."""

    def format(self, record: logging.LogRecord) -> str:
        copied = logging.makeLogRecord(record.__dict__)
        copied.msg, copied.args = record.getMessage().partition("\n")[0], ()
        return super().format(copied)


def _named(_: Any, __: str, event: EventDict) -> EventDict:
    """Add the name of the library, and the exception that it logged."""
    record = event["_record"]
    return {**event, "logger": record.name, "exc_info": record.exc_info}


def _clean(_: Any, __: str, event: EventDict) -> EventDict:
    """Remove the keys that the formatter added for itself."""
    return {name: value for name, value in event.items() if not name.startswith("_")}


def _traced(_: Any, __: str, event: EventDict) -> EventDict:
    info: ExcInfo | BaseException | bool | None = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()[1]
    if isinstance(info, tuple):
        info = info[1]
    if isinstance(info, BaseException):
        event["exception"] = frames(info)
    return event


def _allowed(_: Any, __: str, event: EventDict) -> EventDict:
    return {
        name: value
        for name, value in event.items()
        if name in KEYS or name in ("_record", "_from_structlog")
    }


def _masked(_: Any, __: str, event: EventDict) -> EventDict:
    return {
        name: value if name in ("_record", "timestamp") else _mask(value)
        for name, value in event.items()
    }


def _mask(value: Any) -> Any:
    match value:
        case bool() | None | float():
            return value
        case int():
            return value if abs(value) < 10**15 else "[number]"
        case str():
            return masked(value)
        case MutableMapping():
            return {masked(str(name)): _mask(each) for name, each in value.items()}
        case Iterable() if not isinstance(value, bytes):
            return [_mask(each) for each in value]
        case _:
            return masked(str(value))


def _renderer(form: Literal["json", "pretty"], stream: TextIO) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())
