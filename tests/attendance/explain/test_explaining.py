"""What is told to a person of each day: which facts, since when, by which rule, and what helps."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from random import Random
from typing import Any

import asyncpg
import pytest

from services.attendance.domain.person import Person
from services.attendance.domain.reference_data import Knowledge
from services.attendance.explain.days import Explained, Letters, explain_year
from services.attendance.explain.restore import explained
from services.attendance.explain.words import LANGUAGES, reasons, remedy, texts
from services.attendance.projection.assessor import Assessor
from shared.events.envelope import Envelope
from shared.runtime.processing.in_memory import InMemoryProjection
from shared.runtime.settings import Settings
from tests.attendance.by_hand import take_by_turns
from tests.attendance.logs import log
from tests.attendance.world import World, on

MONDAY = "2026-01-05"


class Open(InMemoryProjection[Person, Knowledge]):
    """A projection in memory that shows what it knows."""

    @property
    def knowledge(self) -> Knowledge:
        return self._knowledge


def told(world: World, day: str = MONDAY, letters: Letters | None = None) -> tuple[str, str]:
    """Give the status of a day, and its reasons in English."""
    folding = world._folding  # noqa: SLF001  (the world keeps it to itself)
    knowledge = folding._knowledge  # noqa: SLF001  (so does the fold)
    days = explain_year(world.person(), knowledge, 2026, letters or Letters())
    (found,) = [each for each in days if each.on == day]
    return found.status, "; ".join(reasons(found, "en"))


def office(**counting: Any) -> World:
    world = World(**counting)
    world.schedule("kosong", {})
    world.unit("U9")
    world.at(f"{MONDAY}T00:30:00").hire("A")
    return world


OFF: list[tuple[Callable[[World], object], str]] = [
    (lambda world: world.holiday(MONDAY), "a holiday or joint leave, as decreed"),
    (lambda world: world.shift(MONDAY, None), "the roster leaves this day free"),
    (lambda world: world.shift(MONDAY, "kosong"), "schedule kosong asks for no presence"),
    (lambda world: world.hire(unit_id="U9"), "no schedule is known for this day"),
    (lambda world: world.hire(active_to=on("2026-01-02")), "not in service on this day"),
]


@pytest.mark.parametrize(("happens", "because"), OFF, ids=[because for _, because in OFF])
def test_a_day_on_which_nothing_is_asked_any_more_says_why(
    happens: Callable[[World], object], because: str
) -> None:
    """It was asked for when it was closed, or there would be no row (B3, B14)."""
    world = office()
    world.close(MONDAY)
    happens(world)
    status, why = told(world)

    assert (status, because in why) == ("off", True), why


def test_who_was_seen_and_yet_not_present_is_told_how_much_was_missing() -> None:
    """The rules ask for two marks, and there was one (B6)."""
    world = office(min_presence_marks=2, evidence_window_workdays=0)
    world.tap(f"{MONDAY}T07:20:00")
    world.close(MONDAY)
    status, why = told(world)

    assert status == "unexcused"
    assert "schedule kantor" in why
    assert "masuk (06:30-09:00): seen 07:20" in why
    assert "1 of the 2 signs of presence that the rules ask for" in why


def test_a_letter_is_told_with_when_it_came_and_when_it_fell() -> None:
    """Recorded on the 4th and revoked on the 7th: both bear on the window (B7, B13)."""
    world = office()
    world.excuse("X1", MONDAY, MONDAY)
    world.close(MONDAY)
    came, fell = "2026-01-04T08:00:00+08:00", "2026-01-07T09:00:00+08:00"
    letters = Letters({"X1": came}, {"X1": fell})
    before = told(world, letters=letters)
    world.at("2026-01-07T09:00:00").revoke("X1")
    after = told(world, letters=letters)

    assert before[0] == "excused"
    assert "letter X1 covers this day (received 2026-01-04 08:00)" in before[1]
    assert after[0] == "pending"
    assert "letter X1 covered this day, but was revoked (2026-01-07 09:00)" in after[1]
    assert "the evidence window began on 2026-01-07; 3 more workdays" in after[1]


def test_every_day_of_random_datasets_is_explained_in_both_languages() -> None:
    """Nothing that the assessor says is without a reason, and the reasons fit what is said."""
    seen: Counter[str] = Counter()
    for seed in range(8):
        folding = Open(Assessor(forgets=False))
        for fact in log(seed, 8, 50):
            folding.hear(fact)
        for person in folding.states.values():
            for year in (2025, 2026):
                for day in explain_year(person, folding.knowledge, year, Letters()):
                    hold(person, day)
                    seen[day.status] += 1
                    seen[f"off: {day.off_because}"] += day.status == "off"

    assert set(texts("en")["status"]) <= set(seen)
    assert seen["off: holiday"] > 0
    assert seen["off: freed"] + seen["off: no_checkpoint"] > 0


def hold(person: Person, day: Explained) -> None:
    """Hold what is explained of a day against what was said of it."""
    said = person.days[date.fromisoformat(day.on).toordinal()]
    assert (day.status, day.late_minutes, day.excuse_id) == (
        said.status,
        said.late,
        said.excuse_id,
    )
    for language in LANGUAGES:
        words = reasons(day, language)
        assert words, day
        assert remedy(day, language)
        assert not any("{" in each or "None" in each for each in words), words
        if said.excuse_id is not None:
            assert any(said.excuse_id in each for each in words)
    if day.status == "present":
        assert day.marks >= day.marks_needed
    if day.status in ("pending", "unexcused"):
        assert day.marks < day.marks_needed
    if day.status == "held":
        assert day.outage_id is not None
    assert (day.off_because is None) == (day.status != "off"), day


async def test_what_is_read_from_the_tables_is_explained_as_what_was_folded(database: str) -> None:
    """The command restores a person from rows, letters with the times of the log."""
    facts = log(2, 8, 60)
    folding, letters = Open(Assessor(forgets=False)), 0
    for fact in facts:
        folding.hear(fact)
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        await take_by_turns(pool, facts, Random(2))  # noqa: S311  (a test repeats itself)
    settings = Settings(bootstrap="", databases={"attendance": database})
    for name, person in folding.states.items():
        known = Letters(*(times(name, facts, kind) for kind in ("Recorded", "Revoked")))
        expected = list(explain_year(person, folding.knowledge, 2026, known))

        assert await explained(settings, name, 2026) == expected
        letters += sum(bool(day.revoked) for day in expected)
    assert letters > 0
    assert await explained(settings, "nobody", 2026) is None


def times(name: str, facts: Sequence[Envelope], kind: str) -> dict[str, str]:
    """Say when a person's letters were recorded, or revoked, for the first time."""
    found: dict[str, str] = {}
    for fact in facts:
        if fact.subject == name and type(fact.data).__name__ == f"Excuse{kind}":
            found.setdefault(fact.data.excuse_id, fact.recordedtime)
    return found


def test_a_late_check_in_says_when_it_became_known() -> None:
    """A day judged anew names the moment of the fact that did it, not that of its closing."""
    world = office()
    world.close(MONDAY)
    assert "judged by what was known at 2026-01-06 12:00" in told(world)[1]

    world.at("2026-01-09T09:15:00").work(MONDAY)
    status, why = told(world)

    assert status == "present"
    assert "judged anew by what became known at 2026-01-09 09:15 (revision 3)" in why
    assert "rule set" in why
