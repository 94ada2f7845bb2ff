"""`tertib parked`: what an operator does with records that could not be applied."""

import asyncio
import getpass
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from shared.errors import CannotRunError
from shared.runtime import settings
from shared.runtime.cli.options import FOUND_SOMETHING, AsJson, ServiceName
from shared.runtime.cli.serve import built
from shared.runtime.parking import queries, queue
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.store import PostgresStore
from shared.runtime.storage.table_sets import live_schema

app = typer.Typer()
parked = typer.Typer(no_args_is_help=True, help="Records that a projection could not apply.")
app.add_typer(parked, name="parked")


Row = Annotated[int, typer.Argument(metavar="ID", help="As `parked list` gives it.")]
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="As `parked list` gives it.")]
Projection = Annotated[
    str | None, typer.Option(help="One of several projections of the service, by its name.")
]


@parked.command("list")
def list_command(
    service: ServiceName, *, subject: str | None = None, as_json: AsJson = False
) -> None:
    """List what waits, oldest first. Exit code 1 if anything does."""
    rows = asyncio.run(_listed(service, subject))
    if as_json:
        typer.echo(json.dumps(rows))
    elif rows:
        table = Table(*rows[0], title=f"Parked in {service}")
        for row in rows:
            table.add_row(*(str(cell if cell is not None else "") for cell in row.values()))
        Console().print(table)
    else:
        typer.echo(f"nothing is parked in {service}", err=True)
    if rows:
        raise typer.Exit(FOUND_SOMETHING)


async def _listed(service: str, subject: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for store in _stores(service, None):
        rows = await queries.listed(store, subject)
        found += [{"projection": store.projection.name, **dict(row)} for row in rows]
    return found


@parked.command("show")
def show_command(service: ServiceName, row_id: Row, *, projection: Projection = None) -> None:
    """Show one record: where it stood, why it waits, its headers and its bytes."""
    asyncio.run(_shown(service, row_id, projection))


async def _shown(service: str, row_id: int, projection: str | None) -> None:
    async for store in _stores(service, projection):
        row = await queries.shown(store, row_id)
        if row is not None:
            value = row["value"]
            for name, cell in dict(row).items():
                if name != "value":
                    typer.echo(f"{name}: {cell}")
            typer.echo(f"value ({len(value or b'')} bytes): {(value or b'')[:2_000]!r}")
            return
    raise CannotRunError(f"{service} has no parked record {row_id}")


@parked.command("retry")
def retry_command(
    service: ServiceName,
    subject: Subject,
    *,
    projection: Projection = None,
    as_json: AsJson = False,
) -> None:
    """Apply a subject's queue in order. Exit code 1 if something still waits."""
    outcomes = asyncio.run(_retried(service, subject, projection))
    if as_json:
        typer.echo(json.dumps(outcomes))
    for each in outcomes if not as_json else ():
        waits = f", {each['waiting']} still wait: {each['reason']}" if each["waiting"] else ""
        typer.echo(f"{each['projection']}: {each['applied']} applied{waits}", err=True)
    if any(each["waiting"] for each in outcomes):
        raise typer.Exit(FOUND_SOMETHING)


async def _retried(service: str, subject: str, projection: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for store in _stores(service, projection):
        if await queries.listed(store, subject):
            outcome = await queue.retry(store, subject, getpass.getuser())
            found.append(
                {
                    "projection": store.projection.name,
                    "applied": outcome.applied,
                    "waiting": outcome.waiting,
                    "reason": outcome.reason,
                }
            )
    if not found:
        raise CannotRunError(f"nothing of {subject} is parked in {service}")
    return found


@parked.command("discard")
def discard_command(
    service: ServiceName,
    subject: Subject,
    row_id: Row,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept.", show_default=False)],
    projection: Projection = None,
) -> None:
    """Discard one record for ever. The others of its subject still wait for a retry."""
    asyncio.run(_discarded(service, subject, row_id, reason, projection))
    typer.echo(f"{row_id} is discarded; `parked retry {service} {subject}` applies the rest")


async def _discarded(
    service: str, subject: str, row_id: int, reason: str, projection: str | None
) -> None:
    async for store in _stores(service, projection):
        if await queue.discard(store, subject, row_id, reason, getpass.getuser()):
            return
    raise CannotRunError(f"record {row_id} of {subject} does not wait in {service}")


@parked.command("resume")
def resume_command(service: ServiceName, *, projection: Projection = None) -> None:
    """Let stopped partitions go on, also those that too many parked records stopped."""
    done = asyncio.run(_resumed(service, projection))
    typer.echo(f"{done} partitions of {service} may go on; a running member looks by itself")


async def _resumed(service: str, projection: str | None) -> int:
    return sum([await queries.resume(store) async for store in _stores(service, projection)])


async def _stores(service: str, projection: str | None) -> AsyncIterator[PostgresStore]:
    """Give the live store of each projection, or of the one that is named."""
    made = [make() for make in built(service).projections]
    wanted = [each for each in made if projection in (None, each.name)]
    if not wanted:
        names = ", ".join(each.name for each in made)
        raise CannotRunError(f"{service} has no projection {projection}; it has {names}")
    async with _pool(settings.load().database_url(service)) as pool:
        for each in wanted:
            async with pool.acquire() as connection:
                schema = await live_schema(connection, each.name)
            if schema is None:
                raise CannotRunError(f"{each.name} has no tables yet: it was never started")
            yield PostgresStore(pool, each, schema, LiveOutbox())


@asynccontextmanager
async def _pool(url: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    pool = await asyncpg.create_pool(url, min_size=1, max_size=2)
    try:
        yield pool
    finally:
        await pool.close()
