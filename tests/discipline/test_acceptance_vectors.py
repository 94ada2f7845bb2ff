"""The acceptance vectors of the domain reference that concern the procedure, by their ids.

Sources: the worked examples in the annex of Peraturan BKN 6/2022 ("ex. N"), or dates counted
again from the rules of PP 94/2021. Expectations are those of the vectors, never computed.
"""

from datetime import date, timedelta
from functools import partial

from services.discipline.domain import proposing
from services.discipline.domain.delivering import (
    delivery_limits,
    in_force_on,
    receipt_on,
    sending_until,
)
from services.discipline.domain.examining import examination
from services.discipline.domain.imposing import Violation, imposition, neglect
from services.discipline.domain.matters import Matters
from services.discipline.domain.proposing import Heard, Told
from services.discipline.domain.remedies import remedy_limits
from services.discipline.domain.salary import Instruction, Month, corrections, unpaid_from
from services.discipline.domain.sanctions import order_of
from services.discipline.domain.serving import serve
from services.discipline.domain.summoning import (
    after_no_show,
    examination_on,
    gap,
    next_letter_until,
)
from shared.events.discipline import SanctionProposed
from tests.discipline.examples import reached
from tests.discipline.tables import (
    ADMINISTRATOR,
    CAL22,
    CHAIN,
    PENGAWAS,
    REGENT,
    calendar,
    ground,
    on,
    rules,
)
from tests.kit.spec import Given

NO_HOLIDAYS = calendar()
OCTOBER = ground(NO_HOLIDAYS, act_on="2022-09-01")
ORAL, WRITTEN, DISSATISFACTION = "teguran_lisan", "teguran_tertulis", "pernyataan_tidak_puas"
CUT_12, DEMOTION = "potong_tunjangan_25_12_bulan", "penurunan_jabatan_12_bulan"

given = partial(Given[Matters, Heard, Told], proposing)


def weekdays(first: str, last: str) -> list[date]:
    days = (on(first) + timedelta(days=n) for n in range((on(last) - on(first)).days + 1))
    return [day for day in days if day.weekday() < 5]


# Delivery, being in force, appeal.


def test_e1_received_8_february_2022_in_force_2_march() -> None:
    """E1: on CAL22 the fifteenth working day after receipt (ex. 22 case 1, recomputed)."""
    assert in_force_on(on("2022-02-08"), ground(CAL22)).on == on("2022-03-02")


def test_e2_received_14_february_2022_both_holidays_move_it() -> None:
    """E2: 9 March on CAL22; 8 March if 28 February alone is a holiday (recomputed)."""
    one_holiday = calendar("2022-02-28")

    assert in_force_on(on("2022-02-14"), ground(CAL22)).on == on("2022-03-09")
    assert in_force_on(on("2022-02-14"), ground(one_holiday)).on == on("2022-03-08")


def test_e3_received_14_july_2026_in_force_4_august() -> None:
    """E3: fifteen working days without a holiday (secondary, recomputed)."""
    summer = ground(NO_HOLIDAYS, act_on="2026-06-01")

    assert in_force_on(on("2026-07-14"), summer).on == on("2026-08-04")


def test_e4_decided_1_february_2022_delivered_in_time_late_too_late() -> None:
    """E4: a warning after 15 February, a breach after the 21st (derived, CAL22)."""
    limits = delivery_limits(on("2022-02-01"), ground(CAL22))

    assert limits.warning_after.on == on("2022-02-15")
    assert limits.breach_after.on == on("2022-02-21")
    judged = [limits.judge(on(f"2022-02-{day}")) for day in (15, 16, 21, 22)]
    assert judged == ["in_time", "warning", "warning", "breach"]


def test_e4_decided_1_february_received_8_february_appeal_safe_and_admissible() -> None:
    """E4: safe to 21 February (from the decision), admissible to 1 March (from receipt)."""
    limits = remedy_limits("appeal", on("2022-02-01"), on("2022-02-08"), ground(CAL22))

    assert limits.safe.on == on("2022-02-21")
    assert limits.admissible.on == on("2022-03-01")


def test_e5_absent_at_the_call_of_8_february_the_clock_runs_from_receipt() -> None:
    """E5: sent on 10 February, inside three working days; received on the 14th (22 case 2)."""
    called_on, sent_on, arrived_on = on("2022-02-08"), on("2022-02-10"), on("2022-02-14")

    limit = sending_until(called_on, ground(CAL22))
    starts_on = receipt_on(called_on, came=False, arrived_on=arrived_on)

    assert limit.on == on("2022-02-11")
    assert sent_on <= limit.on
    assert starts_on == arrived_on
    assert in_force_on(arrived_on, ground(CAL22)).on == on("2022-03-09")


# Summons, examination, imposition, serving.


def test_p1_letter_of_5_october_2022_examined_on_the_17th_again_on_the_27th() -> None:
    """P1: seven clear working days between each letter and its examination (ex. 10)."""
    first, second = on("2022-10-05"), on("2022-10-17")

    assert examination_on(first, OCTOBER).on == on("2022-10-17")
    assert examination_on(second, OCTOBER).on == on("2022-10-27")
    assert gap(first, on("2022-10-17"), OCTOBER) == (7, 7)
    assert gap(second, on("2022-10-27"), OCTOBER).warning is None


def test_p1_second_letter_allowed_to_26_october() -> None:
    """P1: within seven working days after the missed date (PP 94/2021 Pasal 26)."""
    assert next_letter_until(on("2022-10-17"), OCTOBER).on == on("2022-10-26")


def test_p1_absent_twice_no_examination() -> None:
    """P1: absent once, a second letter; absent twice, decided on the evidence (Pasal 26)."""
    assert after_no_show(1, OCTOBER.rules) == "SUMMONS"
    assert after_no_show(2, OCTOBER.rules) == "NO_EXAMINATION"


def test_p2_who_does_not_punish_is_punished_more_heavily() -> None:
    """P2: a written reprimand is owed and not given: his superior acts on both (ex. 7)."""
    found = neglect(WRITTEN, PENGAWAS, CHAIN, rules())

    assert found.acting == ADMINISTRATOR
    assert found.employee.name == WRITTEN
    assert found.superior.sanction.name == DISSATISFACTION
    assert found.superior.review is None


def test_p3_medium_examined_by_a_pengawas_goes_up_to_the_administrator_or_higher() -> None:
    """P3: BAP and LHP of an executor's medium case go up (ex. 12a)."""
    cut = order_of(rules()).named(CUT_12)
    found = examination("PELAKSANA", cut, CHAIN, rules())

    assert found.examiner == PENGAWAS
    assert found.goes_up
    assert found.deciders == (ADMINISTRATOR, REGENT)


def test_p3_heavy_goes_to_the_team_of_three_elements_of_the_ppk() -> None:
    """P3: superior, supervision and personnel must examine, and the PPK decides (ex. 13a)."""
    demotion = order_of(rules()).named(DEMOTION)
    found = examination("PELAKSANA", demotion, CHAIN, rules())

    assert found.team_need == "must"
    assert found.team == ("direct_superior", "supervision", "personnel")
    assert found.deciders == (REGENT,)


def test_p4_two_violations_at_once_one_sanction_the_heaviest() -> None:
    """P4: never two sanctions for one examination (ex. 18b)."""
    found = imposition(
        [
            Violation("attendance", WRITTEN),
            Violation("conduct", CUT_12),
            Violation("assets", ORAL),
        ],
        rules(),
    )

    assert found.sanction.name == CUT_12


def test_p4_the_same_violation_again_written_then_dissatisfaction() -> None:
    """P4: the same non-attendance violation brings more than the last time (ex. 18c)."""
    again = Violation("conduct", WRITTEN, last=WRITTEN)

    assert imposition([again], rules()).sanction.name == DISSATISFACTION


def test_p5_a_heavier_one_finishes_what_is_served_and_starts_at_once() -> None:
    """P5: serving a cut of 12 months, a demotion falls (ex. 24a)."""
    order = order_of(rules())
    spells = serve((), CUT_12, on("2022-03-02"), order)
    cut, demotion = serve(spells, DEMOTION, on("2022-08-01"), order)

    assert (cut.sanction.name, cut.ends_on, cut.cut_short) == (CUT_12, on("2022-08-01"), True)
    assert (demotion.sanction.name, demotion.starts_on) == (DEMOTION, on("2022-08-01"))
    assert cut.standing(on("2022-08-01")) == "completed"
    assert demotion.standing(on("2022-08-01")) == "serving"


def test_p5_a_lighter_one_is_queued_until_the_former_ends() -> None:
    """P5: serving a demotion, a cut falls (ex. 24b)."""
    order = order_of(rules())
    spells = serve((), DEMOTION, on("2022-03-02"), order)
    demotion, cut = serve(spells, CUT_12, on("2022-08-01"), order)

    assert (demotion.ends_on, demotion.cut_short) == (on("2023-03-02"), False)
    assert (cut.starts_on, cut.ends_on) == (on("2023-03-02"), on("2024-03-02"))
    assert cut.standing(on("2023-03-01")) == "queued"
    assert cut.standing(on("2023-03-02")) == "serving"


# Ten running days.


def test_c1_the_dismissal_outranks_the_sum_of_ten() -> None:
    """C1: the run's proposal supersedes that of the sum's tier of seven (ex. 5d)."""
    seven, run = reached("sum", 7), reached("run", 10, "consecutive")
    (told,) = given(seven).when(run)

    assert isinstance(told, SanctionProposed)
    assert (told.sanction, told.supersedes) == ("pdhtaps", "sum")


def test_c1_ten_running_days_to_14_october_2022_no_pay_from_november() -> None:
    """C1: the salary stops from the next month, without waiting for the decision (ex. 5d)."""
    assert unpaid_from(weekdays("2022-10-01", "2022-10-14"), rules()) == Month(2022, 11)


def test_m1_november_stopped_on_ten_days_the_examination_finds_five() -> None:
    """M1: the pay is restored (ex. 23-1); the re-tiering stands in tests/attendance."""
    proven = weekdays("2022-10-17", "2022-10-21")
    stops = unpaid_from(proven, rules())
    found = corrections({Month(2022, 10): "paid", Month(2022, 11): "stopped"}, stops)

    assert stops is None
    assert found == [Instruction("restore", Month(2022, 11))]


def test_m2_november_paid_the_examination_proves_ten_days() -> None:
    """M2: the pay is returned to the state (the rule of ex. 23-2, with 17-28 October 2022)."""
    proven = weekdays("2022-10-17", "2022-10-28")
    found = corrections(
        {Month(2022, 10): "paid", Month(2022, 11): "paid"}, unpaid_from(proven, rules())
    )

    assert found == [Instruction("return", Month(2022, 11))]
