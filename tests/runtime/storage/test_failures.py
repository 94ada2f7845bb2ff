"""A database that is away passes by itself; one that refuses does not."""

import asyncpg
import pytest

from shared.runtime.storage.failures import REFUSED, UNAVAILABLE, refusal_of


def answered(sqlstate: str, message: str = "it said so") -> asyncpg.PostgresError:
    """Give the exception that asyncpg makes of a server's answer."""
    made: asyncpg.PostgresError = asyncpg.PostgresError.new(
        {"C": sqlstate, "M": message, "D": "Key (nip)=(197001012000011001) exists", "S": "ERROR"}
    )
    return made


PASSING = "08006 08003 53100 53300 57P01 57P03 57014 55P03 40001 40P01 25P03 25006"


@pytest.mark.parametrize("sqlstate", PASSING.split())
def test_what_passes_by_itself_is_away(sqlstate: str) -> None:
    assert isinstance(answered(sqlstate), UNAVAILABLE)


@pytest.mark.parametrize(
    "sqlstate", ["42703", "42P01", "42601", "42501", "3F000", "22P02", "XX000"]
)
def test_an_error_of_the_statement_is_not(sqlstate: str) -> None:
    """Schema, account or SQL are wrong, and will be at the next try (issue: no silent retry)."""
    error = answered(sqlstate)

    assert isinstance(error, REFUSED)
    assert not isinstance(error, UNAVAILABLE)


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), TimeoutError(), asyncpg.InterfaceError("x")]
)
def test_a_lost_connection_is_away(error: Exception) -> None:
    assert isinstance(error, UNAVAILABLE)


def test_a_refusal_names_the_column_and_quotes_no_value() -> None:
    named = answered("42703", 'column "x" does not exist')
    valued = answered("23505", "duplicate key value")

    assert refusal_of(named) == 'UndefinedColumnError: column "x" does not exist'
    assert refusal_of(valued) == "UniqueViolationError"
    assert refusal_of(ValueError("Made Up")) == "ValueError"
