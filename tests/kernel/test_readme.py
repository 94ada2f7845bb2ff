"""The page says of every member of the kernel why it is there."""

import re
from pathlib import Path

KERNEL = Path(__file__).resolve().parents[2] / "shared/kernel"


def test_every_member_has_its_reason_on_the_page() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \| (.+) \|$", (KERNEL / "README.md").read_text(), re.MULTILINE
    )
    members = {path.stem for path in KERNEL.glob("*.py")} - {"__init__"}

    assert {name for name, _, _ in rows} == members
    assert all(rule.strip() and reason.strip() for _, rule, reason in rows)
