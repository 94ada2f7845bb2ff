"""Random datasets, deterministic by seed: valid to look at, and as hard as regencies make them."""

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

from tests.oracle.making.doings import make_doings
from tests.oracle.making.draft import Draft
from tests.oracle.making.ladders import make_rules
from tests.oracle.making.lives import make_lives
from tests.oracle.making.papers import make_calendar, make_excuses, make_outages
from tests.oracle.making.places import make_places
from tests.oracle.making.spoiling import spoil

SPICES = frozenset(
    (
        "bad rows",
        "calendar",
        "classes",
        "device lines",
        "duplicates",
        "excuses",
        "joins",
        "late pins",
        "late rules",
        "late schedules",
        "late uploads",
        "lateness",
        "leaves",
        "moves",
        "outages",
        "own rules",
        "own schedules",
        "phones",
        "pins",
        "ramadan",
        "regencies",
        "revocations",
        "shifts",
        "unknown pins",
        "zones",
    )
)
"""Hard things that can be left out, to find the smallest dataset that still differs."""


def write_dataset(
    folder: Path, seed: int, people: int, days: int, spice: Collection[str] = SPICES
) -> date:
    """Write a dataset (design 8.1) into an empty folder and give its last date, `--through`.

    Errors: ValueError for an unknown spice.
    """
    unknown = set(spice) - SPICES
    if unknown:
        msg = f"unknown spice {sorted(unknown)}"
        raise ValueError(msg)
    first = date(2025, 11, 3)
    draft = Draft(seed, first, days, spice)
    draft.start = first + timedelta(days=draft.dice("start").randrange(90))
    places = make_places(draft)
    make_rules(draft, places)
    lives = make_lives(draft, places, people)
    make_doings(draft, places, lives)
    if draft.wants("excuses"):
        make_excuses(draft, lives)
    if draft.wants("calendar"):
        make_calendar(draft, places)
    if draft.wants("outages"):
        make_outages(draft, places)
    if draft.wants("bad rows"):
        spoil(draft)
    folder.mkdir(parents=True, exist_ok=True)
    draft.write(folder)
    return draft.through
