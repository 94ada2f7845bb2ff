"""Whatever bytes a sender gives: findings, never a crash, and the plan of the rest can be made."""

import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.attendance.backfill.plan import plan
from services.attendance.dataset.findings import UnusableDatasetError
from services.attendance.dataset.reader import read_dataset
from shared.events.envelope import canonical
from shared.events.sealing import Redacting
from tools.simulate.simulation import simulate

PIECES = (
    b"", b",", b'"', b"\n", b"\r", b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", b"=", b"-", b":", b"0",
    b"9999-12-31", b"0001-01-01", b"2026-02-30", b"1E+17", b"*", b"ID", b"- ", b"{", b"&a *a",
    b"T24:00", b"+23:59", b"99:59", b"\xe2\x80\xa8", b"<<: {}", b"!!python/object:os.system x",
)  # fmt: skip
Breaks = list[tuple[int, int, int, bytes]]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("good") / "dataset"
    simulate(out, 24, 24, 3)
    return out


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10_000),
            st.integers(0, 10_000),
            st.integers(0, 12),
            st.sampled_from(PIECES) | st.binary(max_size=6),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_bytes_end_in_findings_and_a_plan(good: Path, breaks: Breaks) -> None:
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "dataset"
        shutil.copytree(good, broken)
        files = sorted(path for path in broken.rglob("*") if path.is_file())
        for which, where, length, piece in breaks:
            path = files[which % len(files)]
            content = path.read_bytes()
            at = where % (len(content) + 1)
            path.write_bytes(content[:at] + piece + content[at + length :])
        try:
            dataset = read_dataset(broken)
        except UnusableDatasetError:
            return  # A header was hit: nothing is loaded (exit code 2).
        for finding in dataset.findings:
            assert finding.reason
            assert finding.reason_in("id")
        for fact in plan(dataset, date(2026, 1, 24), Redacting()):
            assert canonical(fact.envelope)
