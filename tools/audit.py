"""Ask for known faults (advisories) of every package that an image holds: `make audit`.

What is asked for are the exact versions of `deploy/requirements/`. Exit codes: 0 none is known, 1
some are, and each is named, 2 the advisories were not reached: nothing is known then.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LISTS = Path(__file__).parents[1] / "deploy/requirements"
FINDING = 1
COULD_NOT_RUN = 2


def asked() -> tuple[str, str]:
    """Let `pip-audit` ask; give what it says on standard output and on standard error."""
    lists = [word for path in sorted(LISTS.glob("*.txt")) for word in ("--requirement", str(path))]
    how = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json")
    done = subprocess.run(  # noqa: S603  (our own words and files)
        [sys.executable, "-m", "pip_audit", *how, *lists],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def understood(said: str, why: str) -> tuple[int, list[str]]:
    """Give the exit code and the lines to print, of what `pip-audit` said.

    It ends with 0 as well when the registry has no advisories of any package to give: who is
    passed over has not been found without fault.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except ValueError:
        reason = (why.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return COULD_NOT_RUN, [f"the advisories were not reached: {reason}"]
    faults = list(_faults(packages))
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    lines = [*faults, f"{len(packages)} packages, {len(faults)} known faults"]
    if unknown:
        lines.append(
            f"of {len(unknown)} of them no advisories were reached: {', '.join(unknown[:5])}"
            f"{', …' if unknown[5:] else ''}"
        )
    return FINDING if faults else COULD_NOT_RUN if unknown else 0, lines


def _faults(packages: list[dict[str, Any]]) -> Iterator[str]:
    for package in packages:
        for fault in package.get("vulns", ()):
            mended = ", ".join(fault["fix_versions"]) or "in no version yet"
            yield f"{package['name']} {package['version']}: {fault['id']}, mended: {mended}"


if __name__ == "__main__":
    code, told = understood(*asked())
    sys.stdout.writelines(f"{line}\n" for line in told)
    sys.exit(code)
