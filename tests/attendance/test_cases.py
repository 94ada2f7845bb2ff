from datetime import date
from pathlib import Path

import pytest

from tests.attendance.previews import write_preview
from tests.oracle.compare import bad_row_differences, differences

CASES = sorted(path for path in (Path(__file__).parents[1] / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_ends_as_it_was_worked_out_by_hand(case: Path, tmp_path: Path) -> None:
    """Each folder says in its README which rule it is about; nothing of it was computed by us."""
    through = date.fromisoformat((case / "through.txt").read_text().strip())
    write_preview(case / "dataset", through, tmp_path)

    assert differences(case / "expected", tmp_path) == []
    assert bad_row_differences(case / "expected", tmp_path) == []
