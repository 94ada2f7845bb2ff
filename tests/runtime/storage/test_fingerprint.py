"""A table or a rule row that changed without a new version is refused at the start, and named."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from services.discipline.projections import Cases
from services.discipline.rules import loading
from services.notifications.projections import Planner
from shared.runtime.projection import Rule
from shared.runtime.storage import table_sets
from shared.runtime.storage.fingerprint import ChangedWithoutVersionError, described, differences
from tests.kit.counting import COUNTS, Counting

SEVEN = Rule("7 days")
TOMORROW = datetime.now(UTC).date() + timedelta(days=2)  # Of every zone.


def table(*more: Any, heard: Any = Integer, nullable: bool = False) -> Table:
    """Give the table of what is counted, changed."""
    return Table(
        "counts",
        MetaData(),
        Column("subject", Text(collation="C"), primary_key=True),
        Column("heard", heard, nullable=nullable),
        *more,
    )


class Changed(Counting):
    """Counts into other tables, by other rows of rules."""

    def __init__(self, made: Table = COUNTS, rows: Mapping[str, Rule] | None = None) -> None:
        super().__init__("t")
        self.tables: Sequence[Table] = (made,)
        self._rows = rows or {}

    @property
    def rules(self) -> Mapping[str, Rule]:
        return self._rows


def changes(before: Counting, now: Counting) -> list[str]:
    return differences(json.loads(described(before)), json.loads(described(now)))


@pytest.mark.parametrize(
    ("now", "named"),
    [
        (table(Column("late", Integer)), "table counts, column late is new"),
        (table(heard=BigInteger), "table counts, column heard is another (was INTEGER NOT NULL,"),
        (table(nullable=True), "(was INTEGER NOT NULL, is INTEGER)"),
        (table(Index("by_heard", "heard")), "table counts, index by_heard is new"),
    ],
)
def test_what_changed_of_a_table_is_named(now: Table, named: str) -> None:
    (change,) = changes(Changed(), Changed(now))

    assert named in change


def test_a_column_that_is_gone_and_one_that_stands_elsewhere_are_named() -> None:
    """`SELECT *` brings columns in their order, and a restore takes them by it."""
    first, second = Column("a", Integer), Column("b", Integer)
    two = table(first, second)
    turned = table(Column("b", Integer), Column("a", Integer))

    assert changes(Changed(two), Changed()) == [
        "table counts, column a is gone",
        "table counts, column b is gone",
    ]
    (change,) = changes(Changed(two), Changed(turned))
    assert change.startswith("table counts, order of columns is another")


def test_what_did_not_change_is_nothing() -> None:
    assert changes(Changed(), Changed(table())) == []


def test_rows_of_rules_are_named_and_not_quoted() -> None:
    before = Changed(rows={"gap": Rule("5 days"), "old": Rule("x")})
    now = Changed(rows={"gap": SEVEN, "new": Rule("x")})

    assert changes(before, now) == ["rule new is new", "rule old is gone", "rule gap is another"]


def test_the_policy_of_notices_and_the_rows_of_the_law_are_such_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Planner().rules["audience of SanctionProposed"].text.startswith("superior: ")
    assert Planner().rules["channels of unit_head"].text == "inbox, mail"
    before = Cases().rules
    rows = loading.national_defaults()
    monkeypatch.setattr(loading, "national_defaults", lambda: rows[1:])

    gone = before.keys() - Cases().rules.keys()
    assert gone == {f"{rows[0].rule_key} of {rows[0].region_code} from {rows[0].valid_from}"}


@pytest.fixture
async def connection(database: str) -> Any:
    made = await asyncpg.connect(database)
    yield made
    await made.close()


async def test_a_start_with_changed_tables_is_refused_in_one_line(
    connection: asyncpg.Connection,
) -> None:
    schema = await table_sets.ensure(connection, Changed(), 1)
    changed = Changed(table(Column("late", Integer)))

    with pytest.raises(ChangedWithoutVersionError) as refused:
        await table_sets.ensure(connection, changed, 1)

    assert str(refused.value) == (
        "tests.counting@1 changed without a new version: table counts, column late is new."
        " Undo it, or raise `version` and run `tertib rebuild tests`"
    )
    assert await table_sets.ensure(connection, Changed(), 1) == schema


async def test_a_rebuild_of_the_same_version_for_other_tables_is_refused_as_well(
    connection: asyncpg.Connection,
) -> None:
    """Members of one version would stand before tables that they cannot tell apart."""
    await table_sets.ensure(connection, Changed(), 1)
    changed = Changed(rows={"gap": SEVEN})

    with pytest.raises(ChangedWithoutVersionError, match="rule gap is new"):
        await table_sets.create(connection, changed, 1)

    changed.version = 2
    async with connection.transaction():
        schema = await table_sets.create(connection, changed, 1)
        await table_sets.switch(connection, changed, schema)
    assert await table_sets.ensure(connection, changed, 1) == schema


async def test_a_table_set_of_before_is_taken_for_what_it_is_started_with(
    connection: asyncpg.Connection,
) -> None:
    """It says nothing of what it was made for; from its next start on it does."""
    await table_sets.ensure(connection, Changed(), 1)
    await connection.execute("ALTER TABLE tertib.table_set DROP COLUMN made_for")

    await table_sets.ensure(connection, Changed(), 1)

    with pytest.raises(ChangedWithoutVersionError):
        await table_sets.ensure(connection, Changed(rows={"gap": SEVEN}), 1)


async def test_a_row_that_is_not_in_force_yet_needs_no_new_version(
    connection: asyncpg.Connection,
) -> None:
    """The law changes by a further row with a later date: nothing was concluded by it."""
    await table_sets.ensure(connection, Changed(), 1)
    later = Changed(rows={"gap of 2030": Rule("7 days", TOMORROW)})
    corrected = Changed(rows={"gap of 2030": Rule("8 days", TOMORROW)})

    schema = await table_sets.ensure(connection, later, 1)

    assert await table_sets.ensure(connection, corrected, 1) == schema
    with pytest.raises(ChangedWithoutVersionError, match="rule gap of 2030 is another"):
        await table_sets.ensure(connection, Changed(rows={"gap of 2030": SEVEN}), 1)
