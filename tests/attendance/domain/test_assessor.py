"""Days and thresholds of one person, fact by fact."""

import pytest

from shared.events.base import ContradictionError
from tests.attendance.world import WEEKDAYS, World, on

LONG = (("jaga", "07:00", "08:00", "37:00", "presence", "any"),)
FIRST_TIER = (2, "ringan", "teguran_lisan", "9(2) b")


def office() -> World:
    world = World()
    world.at("2026-01-05T00:30:00").hire("A")
    return world


def test_a_day_without_any_sign_is_pending_and_then_unexcused() -> None:
    """Three counting days are closed after it, and nobody brought a letter (design 5.4)."""
    world = office()
    for day in ("2026-01-06", "2026-01-07", "2026-01-08"):
        world.work(day)
    world.close_all("2026-01-05", "2026-01-07")

    assert world.statuses()["2026-01-05"] == "pending"
    assert [e.data.status for e in world.close("2026-01-08")] == ["present", "unexcused"]


def test_a_weekend_counts_for_no_window() -> None:
    """Friday's window ends on Wednesday: Saturday and Sunday are nobody's evidence (B13)."""
    world = office()
    world.close_all("2026-01-05", "2026-01-13")

    assert world.statuses()["2026-01-09"] == "pending"

    world.close("2026-01-14")

    assert world.statuses()["2026-01-09"] == "unexcused"


def test_a_late_letter_excuses_and_retracts() -> None:
    """The day is said again, the threshold that rested on it falls (design 5.6)."""
    world = office()
    world.close_all("2026-01-05", "2026-01-12")
    before = world.thresholds()
    world.excuse("X1", "2026-01-06", "2026-01-06")

    assert before == [("cumulative", 3, 3, "active")]
    assert world.statuses()["2026-01-06"] == "excused"
    assert world.thresholds() == [("cumulative", 3, 3, "retracted")]


def test_a_retraction_tells_the_count_that_is_left() -> None:
    """Of five days the second is excused: four are left, not none (C12)."""
    world = office()
    world.close_all("2026-01-05", "2026-01-14")
    said = world.excuse("X1", "2026-01-06", "2026-01-06")

    left = {e.data.threshold_days: e.data.days for e in said if "Retracted" in e.type}
    assert left == {4: 4, 3: 4}


def test_a_revoked_letter_starts_a_window_of_its_own() -> None:
    """The person gets three days from the date on which the letter fell (B13)."""
    world = office()
    world.excuse("X1", "2026-01-05", "2026-01-05")
    world.close_all("2026-01-05", "2026-01-13")
    world.at("2026-01-14T09:00:00").revoke("X1")
    day = world.person().days[min(world.person().days)]

    assert (day.status, day.window) == ("pending", on("2026-01-14").toordinal())

    world.close_all("2026-01-14", "2026-01-16")

    assert world.statuses()["2026-01-05"] == "pending"

    world.close_all("2026-01-17", "2026-01-19")

    assert world.statuses()["2026-01-05"] == "unexcused"


def test_heard_again_says_nothing_again() -> None:
    """A fact applies once by its id; the second time adds nothing (A14)."""
    world = office()
    world.work("2026-01-05")
    world.close("2026-01-05")
    world.excuse("X1", "2026-01-05", "2026-01-05")

    assert world.work("2026-01-05") == []
    assert world.excuse("X1", "2026-01-05", "2026-01-05") == []


def test_two_people_do_not_interfere() -> None:
    """What one does is not in the other's day."""
    world = office()
    world.hire("B")
    world.work("2026-01-05", who="B")
    world.close("2026-01-05")

    assert (world.statuses("A"), world.statuses("B")) == (
        {"2026-01-05": "pending"},
        {"2026-01-05": "present"},
    )


def test_a_run_of_ten_asks_for_dismissal() -> None:
    """Ten running workdays over two weekends (PP 94/2021, Pasal 11(2) d 4)."""
    world = office()
    world.close_all("2026-01-05", "2026-01-21")

    assert ("consecutive", 10, 10, "active") in world.thresholds()


def test_an_outage_holds_the_day_and_breaks_no_run() -> None:
    """No data is not absence: held days neither count nor break (design 5.5)."""
    world = office()
    world.outage("O1", "2026-01-08T00:00:00", "2026-01-08T23:00:00")
    world.close_all("2026-01-05", "2026-01-22")

    assert world.statuses()["2026-01-08"] == "held"
    assert ("consecutive", 10, 10, "active") in world.thresholds()


def test_a_shift_before_the_first_line_asks_for_nothing() -> None:
    """Who is not registered yet has no span: the morning belongs to the first day (A3, B2)."""
    world = World()
    world.schedule("panjang", dict.fromkeys(WEEKDAYS, LONG))
    world.at("2026-01-05T00:30:00").hire("A", active_from=on("2026-01-06"))
    world.shift("2026-01-05", "panjang")
    world.tap("2026-01-06T07:20:00")
    world.close_all("2026-01-05", "2026-01-06")

    assert world.statuses() == {"2026-01-06": "present"}


def test_a_day_in_time_converts_what_another_measure_let_be_carried() -> None:
    """Fifty minutes are no day of sixty; the first day whose rules ask for twenty is two (C4)."""
    world = World(lateness_day_minutes=60)
    world.rules(version=2, since="2026-01-06", cumulative=[FIRST_TIER], lateness_day_minutes=20)
    world.at("2026-01-05T00:30:00").hire("A")
    world.tap("2026-01-05T08:20:00", "2026-01-05T16:05:00")
    world.close("2026-01-05")
    before = world.thresholds()
    world.work("2026-01-06")
    world.close("2026-01-06")

    assert before == []
    assert world.thresholds() == [("cumulative", 2, 2, "active")]


def test_one_letter_with_other_content_is_a_contradiction() -> None:
    """Never a silent choice: the message names both (design 2)."""
    world = office()
    world.excuse("X1", "2026-01-05", "2026-01-05")

    with pytest.raises(
        ContradictionError,
        match=r"\(X1, 2026-01-05, 2026-01-09\), .* \(X1, 2026-01-05, 2026-01-05\)",
    ):
        world.excuse("X1", "2026-01-05", "2026-01-09")


def test_one_rule_set_version_with_other_content_is_a_contradiction() -> None:
    """Two documents of one version would judge people differently by accident."""
    world = office()

    with pytest.raises(
        ContradictionError, match=r"pp94-2021@1 .* twice: digest pp94-2021@1 and other"
    ):
        world.rules(digest="other")


def test_a_closing_that_leaves_a_date_out_is_a_contradiction() -> None:
    """Every date is closed, one after the other: a gap would hide a day."""
    world = office()
    world.close("2026-01-05")

    with pytest.raises(
        ContradictionError, match=r"2026-01-07 .* does not follow that of 2026-01-05"
    ):
        world.close("2026-01-07")


def test_a_revocation_of_an_unknown_letter_is_a_contradiction() -> None:
    world = office()

    with pytest.raises(ContradictionError, match="X9, which was never recorded"):
        world.revoke("X9")
