"""What a table set was made for: its tables, and the rows that the fold reads beside the log.

Stored with the table set. A change of one of them without a new version would write rows that do
not fit the old tables, or conclude other events from the same log than those published.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Table
from sqlalchemy.dialects import postgresql

from shared.errors import CannotRunError
from shared.runtime.projection import Projection

SHOWN = 3


class ChangedWithoutVersionError(CannotRunError):
    """A table, or a row that the fold reads, is another than the live tables were made for."""


def described(projection: Projection[Any, Any]) -> str:
    """Describe what a projection needs of its table set, as JSON: texts by what they are about."""
    parts = {name: text for table in projection.tables for name, text in _of_table(table)}
    for name, rule in projection.rules.items():
        parts[f"rule {name}"] = hashlib.sha256(rule.text.encode()).hexdigest()[:16]
    return json.dumps(parts, sort_keys=True)


def refuse_changes(projection: Projection[Any, Any], made_for: str, today: date) -> None:
    """Compare what a table set was made for with the projection.

    A rule that begins after today is no change: nothing was concluded by it.
    Errors: ChangedWithoutVersionError.
    """
    before, now = json.loads(made_for), json.loads(described(projection))
    for name, rule in projection.rules.items():
        if rule.begins is not None and rule.begins > today:
            now[f"rule {name}"] = before.setdefault(f"rule {name}", now[f"rule {name}"])
    changes = differences(before, now)
    if not changes:
        return
    more = f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
    raise ChangedWithoutVersionError(
        f"{projection.name}@{projection.version} changed without a new version:"
        f" {', '.join(changes[:SHOWN])}{more}. Undo it, or raise `version` and run"
        f" `tertib rebuild {projection.service}`"
    )


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name what differs, one text each; the order of columns only where nothing else does."""
    found = [f"{name} is new" for name in sorted(now.keys() - before.keys())]
    found += [f"{name} is gone" for name in sorted(before.keys() - now.keys())]
    for name in sorted(now.keys() & before.keys()):
        if now[name] != before[name]:
            was = "" if name.startswith("rule ") else f" (was {before[name]}, is {now[name]})"
            found.append(f"{name} is another{was}")
    columns = [each for each in found if "order of columns" not in each]
    return columns or found


def _of_table(table: Table) -> Iterator[tuple[str, str]]:
    about = f"table {table.name}"
    for column in table.columns:
        yield f"{about}, column {column.name}", _of_column(column)
    yield f"{about}, order of columns", ", ".join(column.name for column in table.columns)
    yield f"{about}, primary key", ", ".join(column.name for column in table.primary_key)
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        yield f"{about}, index {index.name}", _of_index(index)
    checks = [each for each in table.constraints if isinstance(each, CheckConstraint)]
    if checks:
        yield f"{about}, checks", "; ".join(sorted(str(each.sqltext) for each in checks))


def _of_column(column: Column[Any]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
    null = "" if column.nullable else " NOT NULL"
    default = "" if column.server_default is None else " with a default"
    return f"{column.type.compile(dialect)}{null}{default}"


def _of_index(index: Index) -> str:
    unique = "unique " if index.unique else ""
    where = index.dialect_options["postgresql"]["where"]
    only = "" if where is None else f" where {where}"
    return f"{unique}on {', '.join(str(each) for each in index.expressions)}{only}"
