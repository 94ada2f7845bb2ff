"""What the publisher's database knows of closings, and holds new ones against."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from services.attendance.facts.closings import (
    Closed,
    ClosingOutOfOrderError,
    closed_of,
    refuse_gaps,
)
from shared.events.attendance import WorkdayClosed
from shared.events.envelope import Envelope, fact_id
from shared.events.structs import as_struct
from shared.runtime.broadcast.facts import Facts
from tests.kit.broadcasting import FactTopic, closing

A, B = "53.01", "53.02"


@pytest.fixture
async def door(database: str) -> AsyncIterator[Facts]:
    async with FactTopic("", database, "t").facts() as facts:
        yield facts


def closes(code: str, *days: int) -> list[Envelope]:
    """Close days of January in a regency."""
    return [
        Envelope(
            data=as_struct(WorkdayClosed(regency=code, on=date(2026, 1, day))),
            id=fact_id("WorkdayClosed", code, f"2026-01-{day:02}"),
            recordedtime=f"2026-01-{day + 1:02}T12:00:00+08:00",
            regency=code,
            source="/attendance",
            subject=code,
            time=f"2026-01-{day + 1:02}T12:00:00+08:00",
            type=WorkdayClosed.type_name(),
        )
        for day in days
    ]


async def published(door: Facts, *envelopes: Envelope) -> int:
    async with door.transaction(exclusive={each.regency for each in envelopes}) as tx:
        await refuse_gaps(tx, envelopes)
        return await tx.broadcast(envelopes)


async def test_what_is_closed_is_known_by_regency(door: Facts) -> None:
    await published(door, closing(1), *closes(A, 5, 6), *closes(B, 7))
    await published(door, *closes(A, 7))

    assert await closed_of(door, [A, B, "53.03"]) == {
        A: Closed(date(2026, 1, 5), date(2026, 1, 7)),
        B: Closed(date(2026, 1, 7), date(2026, 1, 7)),
    }


@pytest.mark.parametrize("days", [(8,), (4,), (7, 9)], ids=["later", "earlier", "in one call"])
async def test_a_closing_that_does_not_follow_is_refused(
    door: Facts, days: tuple[int, ...]
) -> None:
    """The fold would refuse it in every partition, for good; nothing of the call is written."""
    await published(door, *closes(A, 5, 6))
    with pytest.raises(
        ClosingOutOfOrderError, match=f"2026-01-0{days[-1]} in {A} does not follow"
    ):
        await published(door, *closes(A, *days))

    assert (await closed_of(door, [A]))[A].last == date(2026, 1, 6)
    assert await published(door, *closes(A, 7)) == 1


async def test_a_closing_that_is_known_is_none_too_many(door: Facts) -> None:
    """Whoever publishes the same regency beside another one repeats it."""
    await published(door, *closes(A, 5, 6, 7))

    assert await published(door, *closes(A, 6, 7, 8)) == 1
