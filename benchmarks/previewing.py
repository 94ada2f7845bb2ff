"""`tertib preview` of a dataset folder: what a person waits, from the command to the tables."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.simulate.simulation import simulate


def measure(employees: int, days: int) -> float:
    """Give the seconds of a preview of a simulated dataset, the start of Python included."""
    with tempfile.TemporaryDirectory() as folder:
        dataset, tables = Path(folder) / "dataset", Path(folder) / "tables"
        simulate(dataset, employees, days, seed=1)
        command = [sys.executable, "-m", "shared.runtime.cli", "preview", str(dataset)]
        began = time.perf_counter()
        done = subprocess.run(  # noqa: S603  (our own command)
            [*command, "--out", str(tables)], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        if done.returncode not in {0, 1} or not any(tables.iterdir()):  # 1: it has broken rows.
            raise RuntimeError(done.stderr[-2000:] or done.stdout[-2000:])
    return seconds
