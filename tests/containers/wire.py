"""The tests that speak to Kafka and PostgreSQL, run again on servers that are given."""

import os
import subprocess
import sys

from tests.deploy.compose import PROJECT

WIRE = (
    "tests/attendance",
    "tests/discipline",
    "tests/faults",
    "tests/notifications",
    "tests/runtime",
)
ONLY = "tests.containers.only_wire"
LIMIT_SECONDS = 1_500.0


def run_wire_tests(bootstrap: str, database: str, *more: str) -> tuple[int, str]:
    """Run them in a session of their own; give its exit code and what it said.

    Those that kill servers need servers of their own: they are left out, as is what needs none.
    """
    given = {"TERTIB_KAFKA_BOOTSTRAP": bootstrap, "TERTIB_TEST_DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", ONLY, *WIRE, *more],
        cwd=PROJECT,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout
