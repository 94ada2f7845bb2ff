"""Where a person belongs: the fold and the reader of a dataset say the same (A3, A7)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.attendance.dataset.history import Histories
from services.attendance.dataset.rows import Employee
from services.attendance.domain.person import Line, Person

FIRST = date(2026, 1, 5)
PLACES = ("53.01", "53.02", "53.03")
lines = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(PLACES)), min_size=1, max_size=5)


def both(begins: list[tuple[int, str]]) -> tuple[Person, Histories]:
    """Give one person twice: told line by line to a fold, and read as rows of a file."""
    person, rows = Person("a"), []
    for number, (after, code) in enumerate(begins):
        on = FIRST + timedelta(after)
        person.add_line(Line(on.toordinal(), number, None, code, None, "PNS", None, None, None))
        rows.append(
            Employee(
                number, "a", None, None, code, None, "PNS", None, None, None, on, None, number
            )
        )
    return person, Histories(rows)


@given(lines, st.integers(-3, 9))
def test_the_fold_and_the_reader_agree(begins: list[tuple[int, str]], after: int) -> None:
    person, histories = both(begins)
    on = FIRST + timedelta(after)

    assert person.regency_on(on.toordinal()) == histories.regency_on("a", on)


def test_before_two_lines_that_begin_first_the_one_in_force_on_their_day_counts() -> None:
    """The corrected line stands, also for the days before (A3, A7)."""
    person, histories = both([(0, "53.01"), (0, "53.02")])
    before = FIRST - timedelta(1)

    assert person.regency_on(before.toordinal()) == "53.02"
    assert histories.regency_on("a", before) == "53.02"
    assert person.line_on(before.toordinal()) is None


def test_who_has_no_line_belongs_nowhere() -> None:
    assert Person("a").regency_on(FIRST.toordinal()) is None
