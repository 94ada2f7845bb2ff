from datetime import date
from pathlib import Path

import pytest

from tests.oracle.compare import bad_row_differences, differences
from tests.oracle.export import write_tables
from tests.oracle.reading import read_dataset
from tests.oracle.steps import run

CASES = sorted(path for path in (Path(__file__).parents[1] / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_oracle_gives_what_was_worked_out_by_hand(case: Path, tmp_path: Path) -> None:
    """Each case folder holds its expectation, which a person worked out from the semantics."""
    dataset = read_dataset(case / "dataset")
    through = date.fromisoformat((case / "through.txt").read_text().strip())
    write_tables(tmp_path, run(dataset, through), dataset.bad)

    assert differences(case / "expected", tmp_path) == []
    assert bad_row_differences(case / "expected", tmp_path) == []
