"""What a stack remembers of itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.local import state


def test_writers_do_not_take_each_others_file_away(tmp_path: Path) -> None:
    """Services are stopped by several threads, and each notes that it is gone."""
    kept = state.choose(1)
    with ThreadPoolExecutor(4) as writers:
        written = [writers.submit(state.write, tmp_path, kept) for _ in range(200)]
    failures = [one.exception() for one in written if one.exception() is not None]

    assert failures == []
    assert state.read(tmp_path) == kept
    assert [path.name for path in tmp_path.iterdir()] == [state.FILE]
