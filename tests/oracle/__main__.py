"""`python -m tests.oracle DATASET --through DATE --out OUT`, or `generate …`."""

import argparse
import sys
from datetime import date
from pathlib import Path

from tests.oracle.export import write_tables
from tests.oracle.reading import read_dataset
from tests.oracle.steps import run
from tests.oracle.tables import CannotLoadError


def judge(folder: Path, through: date, out: Path) -> int:
    """Write the expected tables of a dataset; exit codes as in design 8.2."""
    try:
        dataset = read_dataset(folder)
    except CannotLoadError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    write_tables(out, run(dataset, through), dataset.bad)
    return 1 if dataset.bad else 0


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--through", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(words)
    return judge(chosen.dataset, chosen.through, chosen.out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
