"""Nothing of a person stands anywhere in clear: not on the log, in a table, in a file."""

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from confluent_kafka import TopicPartition

from tests.system.letters import ABSENT, EXPLAINED, NIPS, PRIVATE
from tests.system.merging import Merging
from tests.system.whole import Whole

pytestmark = pytest.mark.system

# What is looked for, whatever its upper and lower case: names, addresses, letters; NIPs.
NEEDLES = (PRIVATE, PRIVATE.lower(), *NIPS)
PREFIX = "F~"
WHO = PREFIX + ABSENT
# Preallocated offsets, gigabytes of zeros; what they point at is read.
INDEXES = {".index", ".timeindex"}


def forms(text: str) -> Iterator[bytes]:
    """Give a text as it would stand in clear, in hex (how tables show bytes) and in base64."""
    plain = text.encode()
    yield plain
    yield plain.hex().encode()
    for before in range(3):
        # Cut where neighbours would change a letter.
        coded = base64.b64encode(bytes(before) + plain)
        yield coded[(before * 8 + 5) // 6 : -4]


def holding(data: bytes, *texts: str) -> list[str]:
    """Name the texts that some bytes hold in any form."""
    return [text for text in texts if any(form in data for form in forms(text))]


@pytest.fixture(scope="module")
def forgotten(whole: Whole, office: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an office that was loaded, whose absent one was forgotten, and loaded again."""
    folder = tmp_path_factory.mktemp("forgotten")
    Merging(first=50).write(office, folder, PREFIX)
    whole.backfill(folder)
    whole.tertib("forget", WHO, "--yes")
    said = whole.backfill(folder)
    assert said["forgotten"] == 1
    assert said["rows"]["new facts"] == 0
    return folder


def test_the_search_finds_what_is_there() -> None:
    """The proof that the tests below can fail."""
    for before in (b"", b"x", b"xy"):
        text = before + f"a {PRIVATE} b".encode()
        for data in (text, text.hex().encode(), base64.b64encode(text)):
            assert PRIVATE in holding(data, *NEEDLES)
    assert holding(b"nothing", *NEEDLES) == []


@pytest.mark.usefixtures("forgotten")
def test_no_record_of_any_topic_says_who_somebody_is(whole: Whole) -> None:
    records = [*_records(whole)]

    assert len(records) > 100
    assert any(holding(record, WHO) for record in records)
    assert [record for record in records if holding(record, *NEEDLES)] == []


@pytest.mark.usefixtures("forgotten")
async def test_no_row_of_any_database_says_who_somebody_is(whole: Whole) -> None:
    rows = [row async for row in _rows(whole)]

    assert len({table for table, _ in rows}) > 20
    assert any(holding(row, WHO) for _, row in rows)
    assert [(table, row) for table, row in rows if holding(row, *NEEDLES)] == []


@pytest.mark.usefixtures("forgotten")
def test_no_file_of_the_stack_says_who_somebody_is(whole: Whole) -> None:
    """Logs of services and servers, segments of the log, pages and write-ahead of the tables."""
    files = [path for path in whole.home.rglob("*") if path.is_file() and not path.is_symlink()]
    read = {path: path.read_bytes() for path in files if path.suffix not in INDEXES}

    assert any(path.suffix == ".log" and path.parent.name == "services" for path in read)
    assert any(holding(data, WHO) for data in read.values())
    assert [str(path) for path, data in read.items() if holding(data, *NEEDLES)] == []


@pytest.mark.usefixtures("forgotten")
async def test_the_key_is_gone_and_those_of_others_are_there(whole: Whole) -> None:
    connection = await asyncpg.connect(whole.environment()["TERTIB_KEYRING_URL"])
    try:
        kids = [f"person/{who}" for who in (WHO, PREFIX + EXPLAINED)]
        rows = await connection.fetch("SELECT kid, key FROM keys WHERE kid = ANY($1)", kids)
    finally:
        await connection.close()

    keys = {row["kid"]: row["key"] for row in rows}
    assert keys[kids[0]] is None
    assert keys[kids[1]] is not None


def test_to_forget_again_adds_nothing_and_an_unknown_id_is_said(
    whole: Whole, forgotten: Path
) -> None:
    before = whole.ends()
    whole.tertib("forget", WHO, "--yes")
    nobody = whole.tertib("forget", "F~nobody", "--yes", code=2)

    assert "F~nobody" in nobody.stderr
    assert whole.ends() == before
    assert whole.backfill(forgotten)["rows"]["new facts"] == 0


def test_who_is_forgotten_is_not_written_to(whole: Whole, forgotten: Path) -> None:
    """Days of others go on; the notice of a new threshold finds no address and no name."""
    before = {row["notification_id"] for row in whole.export("notices")}
    whole.backfill(forgotten, "--through", "2026-01-23")
    new = [row for row in whole.export("notices") if row["notification_id"] not in before]

    mails = [row for row in new if row["employee_id"] == WHO and row["channel"] == "mail"]
    told = {(row["outcome"], row["reason"]) for row in mails if row["recipient_id"] == WHO}
    assert told == {("failed", "forgotten")}
    inbox = whole.tertib("inbox", WHO, columns=500).stdout
    assert f"Yth. {WHO}" in inbox  # What was delivered before: without the name.
    assert holding(inbox.encode(), *NEEDLES) == []


def _records(whole: Whole) -> Iterator[bytes]:
    """Read every record of every topic: keys, values, headers, as they came from the broker."""
    ends = {place: end for place, end in whole.ends().items() if end}
    consumer = whole.consumer()
    try:
        consumer.assign([TopicPartition(*place, 0) for place in ends])
        left = dict(ends)
        while left:
            record = consumer.poll(30)
            assert record is not None, f"the broker is silent, and left are {left}"
            assert record.error() is None
            headers = b"".join(
                name.encode() + (value or b"") for name, value in record.headers() or ()
            )
            yield (record.key() or b"") + b"\0" + (record.value() or b"") + b"\0" + headers
            if record.offset() + 1 >= left.get((record.topic(), record.partition()), 0):
                left.pop((record.topic(), record.partition()), None)
    finally:
        consumer.close()


async def _rows(whole: Whole) -> AsyncIterator[tuple[str, bytes]]:
    """Read every row of every table of every database."""
    for name, url in whole.environment().items():
        if not url.startswith("postgresql://"):
            continue
        connection = await asyncpg.connect(url)
        try:
            tables = await connection.fetch(
                "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name)"
                " FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
                " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            )
            for (table,) in tables:
                for row in await connection.fetch(f"SELECT t::text FROM {table} t"):  # noqa: S608  (as the catalogue quotes it)
                    yield f"{name}.{table}", row[0].encode()
        finally:
            await connection.close()
