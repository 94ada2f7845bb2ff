"""What `make audit` makes of what `pip-audit` says; the registry itself is not asked here."""

import json
from typing import Any

from tools.audit import understood

CLEAN = {"name": "idna", "version": "3.20", "vulns": []}
FAULTY = {
    "name": "h11",
    "version": "0.15",
    "vulns": [{"id": "GHSA-vqfr-h8mv-ghfj", "fix_versions": ["0.16.0"], "aliases": []}],
}
PASSED_OVER = {"name": "rich", "skip_reason": "Dependency not found and could not be audited"}


def said(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_without_faults_it_is_done() -> None:
    assert understood(said(CLEAN), "") == (0, ["1 packages, 0 known faults"])


def test_a_fault_is_a_finding_and_says_where_it_is_mended() -> None:
    code, lines = understood(said(CLEAN, FAULTY), "")

    assert code == 1
    assert lines[0] == "h11 0.15: GHSA-vqfr-h8mv-ghfj, mended: 0.16.0"


def test_who_was_passed_over_is_not_without_fault() -> None:
    """`pip-audit` itself ends with 0 then: seen with a registry that has no advisories."""
    code, lines = understood(said(CLEAN, PASSED_OVER), "")

    assert code == 2
    assert lines[-1] == "of 1 of them no advisories were reached: rich"


def test_a_registry_that_does_not_answer_is_no_result() -> None:
    code, lines = understood("", "…\nERROR: Could not connect to the service\n")

    assert code == 2
    assert lines == ["the advisories were not reached: ERROR: Could not connect to the service"]
