"""Of overlapping assignments of a PIN the last begun counts; if that has ended, nobody (A9)."""

from typing import NamedTuple

import pytest

from shared.kernel.local_time import NEVER
from shared.kernel.pins import holder


class Row(NamedTuple):
    who: str
    begins: int
    ends: int = NEVER


@pytest.mark.parametrize(
    ("rows", "day", "who"),
    [
        ((), 5, None),
        ((Row("ana", 5, 9),), 4, None),
        ((Row("ana", 5, 9),), 5, "ana"),
        ((Row("ana", 5, 9),), 9, "ana"),
        ((Row("ana", 5, 9),), 10, None),
        ((Row("ana", 5), Row("budi", 7)), 6, "ana"),
        ((Row("ana", 5), Row("budi", 7)), 7, "budi"),
        ((Row("budi", 7), Row("ana", 5)), 7, "budi"),
        ((Row("ana", 5), Row("budi", 7, 8)), 9, None),  # Ana's still runs, and is over.
        ((Row("ana", 5), Row("budi", 5)), 5, "budi"),
        ((Row("budi", 5), Row("ana", 5)), 5, "ana"),
        ((Row("ana", 5), Row("budi", 5, 5)), 6, None),
    ],
)
def test_whose_pin_it_is(rows: tuple[Row, ...], day: int, who: str | None) -> None:
    held = holder(rows, day)

    assert (held.who if held is not None else None) == who
