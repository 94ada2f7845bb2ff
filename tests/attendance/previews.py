"""A dataset folder through the in-memory preview, as files to be compared."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from services.attendance.backfill.plan import plan
from services.attendance.dataset.reader import read_dataset
from shared.events.envelope import Envelope
from shared.events.sealing import Redacting
from shared.runtime.export.writers import write_csv
from shared.runtime.processing.preview_pipeline import preview, stages


def log_of(folder: Path, through: date) -> Iterator[Envelope]:
    """Give the facts of a dataset as they stand on the log: broadcasts are numbered."""
    number = 0
    for step in plan(read_dataset(folder), through, Redacting()):
        if step.kind.BROADCAST:
            number += 1
            yield msgspec.structs.replace(step.envelope, broadcastseq=number)
        else:
            yield step.envelope


def write_tables(facts: Iterable[Envelope], out: Path) -> None:
    """Write what all services conclude from facts, one CSV for each table."""
    out.mkdir(parents=True, exist_ok=True)
    for name, (columns, rows) in preview(facts, stages()[0]).items():
        write_csv(out / f"{name}.csv", columns, list(rows))


def write_preview(folder: Path, through: date, out: Path) -> None:
    """Preview a dataset into `out`, with the places of its bad rows in `bad-rows.csv`."""
    dataset = read_dataset(folder)
    write_tables((step.envelope for step in plan(dataset, through, Redacting())), out)
    bad = sorted({(f.file, f.line) for f in dataset.findings if f.severity == "error"})
    write_csv(out / "bad-rows.csv", ("file", "line"), bad)
