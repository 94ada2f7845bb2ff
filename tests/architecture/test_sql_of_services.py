"""A service asks for its own tables: those of the runner are asked for by `storage.read`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RUNNERS = {"cursors", "subjects", "broadcasts", "parked", "table_set", "events", "relay_cursor"}
TABLE = re.compile(
    r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY|TRUNCATE|COPY)\s+(?:ONLY\s+)?((?:[\w{}\"]+\.)?[\w\"]+)",
    re.IGNORECASE,
)


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give every text of a module with its line; what an f-string puts in becomes `{}`."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [
                each.value if isinstance(each, ast.Constant) else "{}" for each in node.values
            ]
            yield node.lineno, "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            yield getattr(node, "lineno", 0), str(node.value)


def named_in(source: str) -> list[str]:
    """Name the runner's tables that the SQL of a module names, with their lines."""
    return [
        f"{line}: {table}"
        for line, text in texts(ast.parse(source))
        for table in TABLE.findall(text)
        if table.rpartition(".")[2].strip('"').lower() in RUNNERS
        or table.lower().startswith("tertib.")
    ]


def test_no_service_names_a_table_of_the_runner_in_its_sql() -> None:
    found = {
        path.relative_to(PROJECT).as_posix(): named
        for path in sorted((PROJECT / "services").rglob("*.py"))
        if (named := named_in(path.read_text(encoding="utf-8")))
    }

    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        'f"SELECT 1 FROM {schema}.subjects s"',
        '"SELECT 1 FROM {schema}.facts f JOIN {schema}.cursors c USING (partition)"',
        '"UPDATE attendance_assessor_v1_1.parked SET state = 1"',
        '"INSERT INTO tertib.events (topic) VALUES (1)"',
        '"select schema from tertib.table_set"',
        '"DELETE FROM tertib.broadcasts_sent"',
    ],
)
def test_a_planted_one_is_found(planted: str) -> None:
    assert named_in(f"{planted}\n")


@pytest.mark.parametrize(
    "fine",
    ['"SELECT * FROM {schema}.workdays WHERE subject = ANY($1)"', '"what the events tell"'],
)
def test_its_own_tables_and_ordinary_words_are_not(fine: str) -> None:
    assert named_in(f"{fine}\n") == []
