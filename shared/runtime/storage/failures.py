"""The failures of a database: it is away, or it refuses.

Away (or busy, or restarting) passes by itself, and nothing is known of what was asked last. A
refusal does not pass: the tables, the account or the statement are wrong, and people must see it.
"""

import asyncpg

UNAVAILABLE = (
    asyncpg.PostgresConnectionError,  # Class 08.
    asyncpg.TransactionRollbackError,  # 40: somebody was faster.
    asyncpg.InsufficientResourcesError,  # 53: no connection left, no disk left.
    asyncpg.LockNotAvailableError,  # 55P03.
    asyncpg.OperatorInterventionError,  # 57: shut down, cancelled, not up yet.
    asyncpg.IdleInTransactionSessionTimeoutError,  # 25P03: we froze, and were thrown out.
    asyncpg.ReadOnlySQLTransactionError,  # 25006: a standby, until it is promoted.
    asyncpg.InterfaceError,  # The connection was lost while it was used.
    OSError,
    TimeoutError,
)

# Asked behind UNAVAILABLE: everything else that a server answers.
REFUSED = asyncpg.PostgresError

# Classes whose messages name only tables, columns and accounts; others may quote values.
_NAMES_ALONE = frozenset({"0A", "28", "3D", "3F", "42", "53", "57", "58"})


def refusal_of(error: BaseException) -> str:
    """Say in one line, for people, what went wrong; no value of a row is quoted."""
    name = type(error).__name__
    if isinstance(error, asyncpg.PostgresError) and str(error.sqlstate)[:2] in _NAMES_ALONE:
        return f"{name}: {str(error).partition(chr(10))[0]}"
    return name


def silence_of(error: BaseException) -> str:
    """Say why a database did not answer a query."""
    if isinstance(error, UNAVAILABLE):
        return f"the database does not answer ({type(error).__name__})"
    return f"the database refuses: {refusal_of(error)}"
