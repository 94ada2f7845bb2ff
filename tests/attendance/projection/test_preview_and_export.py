"""Preview and export of one dataset, byte by byte: two ways through the code, one outcome (4.1).

The export comes out of the runner and a real PostgreSQL, the log between them being handed over
in memory: many more datasets than a whole stack has time for (`tests/system/test_datasets.py`).
`TERTIB_SEEDS=100-400` compares these seeds instead of the few of an ordinary run.
"""

import io
import os
from pathlib import Path
from random import Random

import asyncpg
import pytest

from services.attendance.projection.exports import EXPORTS
from shared.runtime.export.tables import Filters, export_table
from tests.attendance.by_hand import take_by_turns
from tests.attendance.previews import log_of, write_preview
from tests.oracle.datasets import write_dataset

PEOPLE, DAYS = 12, 60  # Longer than what is kept in memory.
ORDINARY = "50-65"


def seeds() -> range:
    first, _, last = os.environ.get("TERTIB_SEEDS", ORDINARY).partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("seed", seeds())
async def test_what_is_previewed_is_what_is_exported(
    database: str, seed: int, tmp_path: Path
) -> None:
    """Every hard thing and bad rows in it; restarted once on the way."""
    through = write_dataset(tmp_path / "dataset", seed, PEOPLE, DAYS)
    write_preview(tmp_path / "dataset", through, tmp_path / "preview")
    facts = list(log_of(tmp_path / "dataset", through))
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        await take_by_turns(pool, facts, Random(seed))  # noqa: S311  (a test repeats itself)
        async with pool.acquire() as connection:
            for export in EXPORTS:
                file, how = tmp_path / f"{export.name}.csv", Filters()
                await export_table(
                    connection, export, how, format_="csv", out=file, standard=io.BytesIO()
                )

                assert file.read_bytes() == (tmp_path / "preview" / file.name).read_bytes()
                assert file.read_text().count("\n") > 1
