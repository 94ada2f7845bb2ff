"""What a database says when it does not do what was asked."""

import asyncpg

# A database that is away, busy or restarting: nothing is known of what was asked last.
UNAVAILABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
