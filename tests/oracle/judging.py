"""One call from a dataset folder to the tables that must come out of it."""

from datetime import date
from pathlib import Path

from tests.oracle.export import write_tables
from tests.oracle.reading import read_dataset
from tests.oracle.steps import run


def judge(folder: Path, through: date, out: Path) -> bool:
    """Write the expected exports and bad rows into `out`; say whether every row could be read.

    Errors: CannotLoadError if nothing of the dataset can be loaded.
    """
    dataset = read_dataset(folder)
    write_tables(out, run(dataset, through), dataset.bad)
    return not dataset.bad
