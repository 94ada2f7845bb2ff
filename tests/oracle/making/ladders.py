"""Rule sets of a random dataset, with small ladders, so that tiers are soon reached."""

from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

from tests.oracle.making.draft import Draft, some, stamp
from tests.oracle.making.places import Places

SANCTIONS = (
    ("ringan", "teguran_lisan", "9(2) b"),
    ("ringan", "teguran_tertulis", "9(2) b"),
    ("ringan", "pernyataan_tidak_puas", "9(2) b"),
    ("sedang", "potong_tunjangan_25_6_bulan", "10(2) f"),
    ("sedang", "potong_tunjangan_25_9_bulan", "10(2) f"),
    ("berat", "penurunan_jabatan_12_bulan", "11(2) d 1"),
    ("berat", "pdhtaps", "11(2) d 3"),
)
FROM_THE_BEGINNING = date(2021, 8, 31)


class Head(NamedTuple):
    """What tells one rule set from another."""

    name: str
    version: int
    regency: str
    classes: list[str]
    begins: date


def make_rules(draft: Draft, places: Places) -> None:
    dice = draft.dice("rules")
    publish(draft, dice, Head("pp94-2021", 1, "*", ["PNS", "CPNS"], FROM_THE_BEGINNING))
    if draft.wants("classes"):
        publish(draft, dice, Head("pppk", 1, "*", ["PPPK"], FROM_THE_BEGINNING))
        if some(dice, 0.4):
            publish(draft, dice, Head("paruh", 2, "*", ["PPPK_PARUH_WAKTU"], FROM_THE_BEGINNING))
    if draft.wants("own rules"):
        for code in places.zones:
            if some(dice, 0.4):
                classes = dice.choice([["PNS"], ["PNS", "CPNS", "PPPK"], ["PPPK"]])
                begins = dice.choice([date(2023, 1, 1), draft.day(dice)])
                publish(draft, dice, Head(f"perda-{code}", 1, code, classes, begins))
    if draft.wants("late rules"):
        begins = draft.day(dice, -10)
        recorded = stamp(dice, begins + timedelta(days=dice.randint(-2, 20)))
        publish(draft, dice, Head("pp94-2021", 2, "*", ["PNS", "CPNS"], begins), recorded)
        publish(draft, dice, Head("pp94-2021", 3, "*", ["CPNS"], begins))


def publish(draft: Draft, dice: Random, head: Head, recorded: str | None = None) -> None:
    yearly = ladder(dice)
    tree: dict[str, Any] = {
        "id": head.name,
        "version": str(head.version),
        "legal_basis": "PP 94/2021",
        "regency": head.regency,
        "applies_to": head.classes,
        "effective_from": head.begins.isoformat(),
        "counting": counting(draft, dice),
        "tiers": {"cumulative": yearly, "consecutive": runs(dice, yearly)},
    }
    if recorded:
        tree["recorded_at"] = recorded
    draft.documents[f"rules/{head.name}.{head.version}.yaml"] = tree


def counting(draft: Draft, dice: Random) -> dict[str, str]:
    lateness = "null"
    if draft.wants("lateness") and some(dice, 0.4):
        lateness = dice.choice(["20", "45", "120"])
    return {
        "evidence_window_workdays": dice.choice(["0", "1", "3", "3"]),
        "min_presence_marks": dice.choice(["1", "2"]),
        "run_crosses_year": dice.choice(["true", "false"]),
        "lateness_day_minutes": lateness,
    }


def ladder(dice: Random) -> list[dict[str, str]]:
    days, tiers = dice.randint(1, 3), []
    for level, sanction, article in SANCTIONS:
        if some(dice, 0.2):
            continue
        tiers.append({"days": str(days), **named(level, sanction, article)})
        days += dice.randint(1, 3)
    return tiers


def runs(dice: Random, yearly: list[dict[str, str]]) -> list[dict[str, str]]:
    """Give one or two tiers of runs; the yearly ladder may have their sanctions or not (D3)."""
    tiers = [{"days": str(dice.randint(3, 5)), **named("berat", "pdhtaps", "11(2) d 4")}]
    first = dice.choice(["none", "lacking", "same"])
    if first == "lacking":
        tiers.insert(0, {"days": "2", **named("sedang", "tunda_kenaikan", "10(2) z")})
    if first == "same" and yearly:
        tiers.insert(0, {**dice.choice(yearly), "days": "2"})
    return tiers


def named(level: str, sanction: str, article: str) -> dict[str, str]:
    return {"level": level, "sanction": sanction, "article": article}
