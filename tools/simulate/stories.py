"""Lives that every simulation wants in it: each hard case of attendance, once or more.

A story is told of one person with ordinary office hours; which days it is about follows from the
person's own workdays. The first stories are the ones that a small simulation most needs.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

from tools.simulate.people import DUTIFUL, Letter, Person

DAY = timedelta(1)
LONG_ENOUGH = 40  # Workdays that a story may need.
Story = Callable[[Person, Sequence[date]], None]


def _misses(person: Person, asked: Sequence[date], places: Sequence[int]) -> list[date]:
    missed = [asked[place] for place in places]
    person.absent.update(missed)
    return missed


def _at(on: date, clock: str) -> str:
    return f"{on.isoformat()}T{clock}"


def misses_just(count: int, person: Person, asked: Sequence[date]) -> None:
    """Miss exactly so many days, apart from one another: both sides of a tier."""
    step = 1 if count > len(asked) // 3 else 2
    _misses(person, asked, range(2, 2 + count * step, step))


def runs_ten_days(person: Person, asked: Sequence[date]) -> None:
    """Miss ten workdays running, over weekends and holidays."""
    _misses(person, asked, range(14, 24))


def runs_nine_days(person: Person, asked: Sequence[date]) -> None:
    """Come on the tenth day: no run."""
    _misses(person, asked, range(12, 21))


def falls_to_the_lower_tier(person: Person, asked: Sequence[date]) -> None:
    """Bring a letter weeks later for one of four days."""
    missed = _misses(person, asked, (4, 5, 7, 9))
    recorded_at = _at(asked[24], "10:15:00")
    person.letters.append(Letter(missed[1], missed[1], "sakit", recorded_at))


def falls_to_none_and_returns(person: Person, asked: Sequence[date]) -> None:
    """Bring a late letter for one of three days, and miss another day afterwards."""
    missed = _misses(person, asked, (3, 6, 8, 28))
    recorded_at = _at(asked[20], "09:05:00")
    person.letters.append(Letter(missed[1], missed[1], "izin alasan penting", recorded_at))


def has_a_letter_revoked(person: Person, asked: Sequence[date]) -> None:
    """Show a letter on time that turns out untrue: the days count from then on."""
    missed = _misses(person, asked, (10, 11, 12))
    recorded, revoked = _at(missed[0], "07:40:00"), _at(asked[22], "14:00:00")
    person.letters.append(Letter(missed[0], missed[-1], "sakit", recorded, revoked))


def has_letters_overlapping(person: Person, asked: Sequence[date]) -> None:
    """Two letters cover one day: the first recorded is the day's."""
    missed = _misses(person, asked, (13, 14, 15, 16))
    for first, last, clock in ((0, 2, "08:00:00"), (2, 3, "08:30")):
        recorded_at = _at(missed[first], clock)
        person.letters.append(Letter(missed[first], missed[last], "sakit", recorded_at))


def goes_on_leave_from_a_saturday(person: Person, asked: Sequence[date]) -> None:
    """Ask for a week's leave that begins and ends on days off, well before."""
    friday = next(on for on in asked[6:] if on.weekday() == 4)  # noqa: PLR2004  (Friday)
    first, last = friday + DAY, friday + 9 * DAY
    person.absent.update(on for on in asked if first <= on <= last)
    recorded_at = _at(asked[1], "11:00:00+00:00")
    person.letters.append(Letter(first, last, "cuti tahunan", recorded_at))


def stays_away_too_often(person: Person, asked: Sequence[date]) -> None:
    """Go through tier after tier: nothing in the last days, so that the windows end."""
    missed = range(1, len(asked) - 6, 3)
    _misses(person, asked, missed)


STORIES: tuple[Story, ...] = (
    partial(misses_just, 3),
    runs_ten_days,
    falls_to_the_lower_tier,
    partial(misses_just, 4),
    has_a_letter_revoked,
    falls_to_none_and_returns,
    stays_away_too_often,
    partial(misses_just, 2),
    partial(misses_just, 7),
    runs_nine_days,
    has_letters_overlapping,
    goes_on_leave_from_a_saturday,
    partial(misses_just, 11),
    partial(misses_just, 6),
)


def tell(people: Sequence[Person], asked: Callable[[Person], list[date]]) -> set[str]:
    """Tell as many stories as there are suited people, spread over all of them; give their ids."""
    suited = [p for p in people if p.lines[0].employment == "PNS" and p.style != "rs"]
    suited = [p for p in suited if p.unit.head != p.employee_id]
    told = set[str]()
    step = max(1, len(suited) // len(STORIES))
    for story, person in zip(STORIES, suited[::step], strict=False):
        days = asked(person)
        if len(days) >= LONG_ENOUGH:
            person.habit = DUTIFUL
            story(person, days)
            told.add(person.employee_id)
    _tell_of_lateness(suited, told)
    return told


def _tell_of_lateness(suited: Sequence[Person], told: set[str]) -> None:
    """Make somebody of the last regency late: its rules turn lateness into days."""
    others = [person for person in suited if person.employee_id not in told]
    if others:
        others[-1].always_late, others[-1].habit = 40, DUTIFUL
        told.add(others[-1].employee_id)
