"""Makes datasets, judges them, and compares exports.

`python -m tests.oracle DATASET --through DATE --out OUT`,
`python -m tests.oracle generate --seed S --people N --days D --out DIR`,
`python -m tests.oracle compare EXPECTED ACTUAL`.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

from tests.oracle.compare import bad_row_differences, differences
from tests.oracle.datasets import SPICES, write_dataset
from tests.oracle.judging import judge
from tests.oracle.tables import CannotLoadError


def expect(words: list[str]) -> int:
    """Write the expected tables of a dataset; exit codes as in design 8.2."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--through", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(words)
    try:
        good = judge(chosen.dataset, chosen.through, chosen.out)
    except CannotLoadError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if good else 1


def generate(words: list[str]) -> int:
    """Write a random dataset and say its last date."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle generate")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[], choices=sorted(SPICES))
    chosen = parser.parse_args(words)
    spice = SPICES - set(chosen.without)
    through = write_dataset(chosen.out, chosen.seed, chosen.people, chosen.days, spice)
    sys.stdout.write(f"{through.isoformat()}\n")
    return 0


def compare(words: list[str]) -> int:
    """Print how two folders of exports differ, bad rows too where the first has any."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle compare")
    parser.add_argument("expected", type=Path)
    parser.add_argument("actual", type=Path)
    chosen = parser.parse_args(words)
    found = differences(chosen.expected, chosen.actual)
    if (chosen.actual / "bad-rows.csv").is_file():
        found += bad_row_differences(chosen.expected, chosen.actual)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


def main(words: list[str]) -> int:
    others = {"generate": generate, "compare": compare}
    if words and words[0] in others:
        return others[words[0]](words[1:])
    return expect(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
