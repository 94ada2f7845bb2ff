"""A dataset folder through the in-memory preview, as files to be compared."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from services.attendance.edge.dataset.reader import read_dataset
from services.attendance.edge.plan import plan
from services.attendance.previewing import preview, stages
from shared.events.envelope import Envelope
from shared.events.sealing import Redacting
from shared.runtime.exporting import write_csv


def write_tables(facts: Iterable[Envelope], out: Path) -> None:
    """Write what all services conclude from facts, one CSV for each table."""
    out.mkdir(parents=True, exist_ok=True)
    for name, (columns, rows) in preview(facts, stages()).items():
        write_csv(out / f"{name}.csv", columns, list(rows))


def write_preview(folder: Path, through: date, out: Path) -> None:
    """Preview a dataset into `out`, with the places of its bad rows in `bad-rows.csv`."""
    dataset = read_dataset(folder)
    write_tables((step.envelope for step in plan(dataset, through, Redacting())), out)
    bad = sorted({(f.file, f.line) for f in dataset.findings if f.severity == "error"})
    write_csv(out / "bad-rows.csv", ("file", "line"), bad)
