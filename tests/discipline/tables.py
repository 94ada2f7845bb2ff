"""The shipped tables, the calendar of the examples, and the posts above an executor."""

from datetime import date

from services.discipline.domain.authority import Post
from services.discipline.domain.periods import Ground
from services.discipline.domain.rulebook import NATIONAL, RuleBook, RuleRow, Rules
from services.discipline.rules.loading import national_defaults
from shared.kernel.working_days import FIVE_DAYS, WorkCalendar

PENGAWAS = Post("PENGAWAS", "the-supervisor")
ADMINISTRATOR = Post("ADMINISTRATOR", "the-administrator")
HEAD = Post("JPT_PRATAMA", "the-head-of-agency")
REGENT = Post("PPK_KABUPATEN_KOTA", "the-regent")
CHAIN = (PENGAWAS, ADMINISTRATOR, HEAD, REGENT)


def on(day: str) -> date:
    return date.fromisoformat(day)


def row(key: str, value: str, region: str = NATIONAL, since: str = "2021-08-31") -> RuleRow:
    return RuleRow(key, value, region, on(since), None, "a test", "default")


def rules(act_on: str = "2022-01-03", *more: RuleRow, region: str = "53.01") -> Rules:
    """Give the shipped rules of a region on the date of an act, with more rows beside them."""
    return RuleBook([*national_defaults(), *more]).in_force(region, on(act_on))


def calendar(*holidays: str, weekdays: frozenset[int] = FIVE_DAYS) -> WorkCalendar:
    return WorkCalendar("SKB 2022", frozenset(map(on, holidays)), weekdays)


CAL22 = calendar("2022-02-28", "2022-03-03")


def ground(holidays: WorkCalendar = CAL22, act_on: str = "2022-01-03") -> Ground:
    return Ground(rules(act_on), holidays)
