from datetime import date
from pathlib import Path

import pytest

from tests.oracle.compare import bad_row_differences, differences
from tests.oracle.judging import judge

CASES = sorted(path for path in (Path(__file__).parents[1] / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_oracle_gives_what_was_worked_out_by_hand(case: Path, tmp_path: Path) -> None:
    """Each case folder holds its expectation, which a person worked out from the semantics."""
    through = date.fromisoformat((case / "through.txt").read_text().strip())
    judge(case / "dataset", through, tmp_path)

    assert differences(case / "expected", tmp_path) == []
    assert bad_row_differences(case / "expected", tmp_path) == []
