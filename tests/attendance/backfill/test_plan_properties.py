"""What holds of the plan of any dataset."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from services.attendance.backfill.plan import plan
from services.attendance.backfill.plan_entries import Planned
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.reader import read_dataset
from shared.events.envelope import canonical
from shared.events.sealing import Redacting
from tests.oracle import facts as oracle
from tests.oracle import reading
from tests.oracle.datasets import SPICES, write_dataset
from tools.simulate.simulation import simulate

THROUGH = date(2026, 2, 28)
RANKS = {
    "PinAssigned": oracle.PINS,
    "SchedulePublished": oracle.SCHEDULES,
    "RuleSetPublished": oracle.RULES,
    "EmployeeRegistered": oracle.EMPLOYEES,
    "ShiftAssigned": oracle.SHIFTS,
    "CalendarPublished": oracle.CALENDAR,
    "ExcuseRecorded": oracle.EXCUSES,
    "ExcuseRevoked": oracle.REVOCATIONS,
    "OutageDeclared": oracle.OUTAGES,
    "WorkdayClosed": oracle.CLOSINGS,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate two months of 80 people."""
    out = tmp_path_factory.mktemp("simulated") / "dataset"
    simulate(out, 80, 60, 7)
    return out


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    return read_dataset(folder)


def told(dataset: Dataset, through: date) -> list[Planned]:
    return list(plan(dataset, through, Redacting()))


def test_the_plan_goes_forward_in_time(dataset: Dataset) -> None:
    instants = [fact.at for fact in told(dataset, THROUGH)]

    assert instants == sorted(instants)


def test_the_same_dataset_gives_the_same_bytes(folder: Path, dataset: Dataset) -> None:
    first = [canonical(fact.envelope) for fact in told(dataset, THROUGH)]
    again = [canonical(fact.envelope) for fact in told(read_dataset(folder), THROUGH)]

    assert first == again


def test_every_fact_has_an_id_of_its_own(dataset: Dataset) -> None:
    ids = Counter(fact.envelope.id for fact in told(dataset, THROUGH))

    assert [id_ for id_, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("days", [0, 12, 31, 47])
def test_the_plan_through_a_date_begins_the_plan_through_the_next(
    dataset: Dataset, days: int
) -> None:
    """For every subject: a later `--through` goes on from there (design 8.2)."""
    through = date(2026, 1, 1) + timedelta(days)
    short, long = (
        _by_subject(told(dataset, through)),
        _by_subject(told(dataset, through + timedelta(1))),
    )

    for subject, values in short.items():
        assert long[subject][: len(values)] == values
    assert sum(map(len, long.values())) > sum(map(len, short.values()))


def _by_subject(facts: list[Planned]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for fact in facts:
        found.setdefault(fact.envelope.subject, []).append(canonical(fact.envelope))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_decides_nothing_but_equal_times(
    folder: Path, tmp_path: Path, dataset: Dataset, seed: int
) -> None:
    """A10: file name and line come last."""
    dice = Random(seed)  # noqa: S311  (to mix rows)
    shuffled = told(read_dataset(_shuffled(folder, tmp_path / "dataset", dice)), THROUGH)
    straight = told(dataset, THROUGH)

    assert [_rank(fact) for fact in shuffled] == [_rank(fact) for fact in straight]
    assert {f.envelope.id for f in shuffled} == {f.envelope.id for f in straight}


def _rank(fact: Planned) -> tuple[int, str]:
    return fact.at, fact.kind.__name__


def _shuffled(folder: Path, out: Path, dice: Random) -> Path:
    """Copy a dataset, the rows of each table and the lines of each log in another order."""
    for path in sorted(folder.rglob("*")):
        copy = out / path.relative_to(folder)
        if path.is_dir():
            copy.mkdir(parents=True)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_bytes().splitlines(keepends=True)
        if path.suffix != ".yaml":
            head = 1 if path.suffix == ".csv" else 0
            rest = lines[head:]
            dice.shuffle(rest)
            lines = lines[:head] + rest
        copy.write_bytes(b"".join(lines))
    return out


@pytest.mark.parametrize("seed", range(6))
def test_an_independent_reading_of_the_semantics_tells_the_same_facts(
    tmp_path: Path, seed: int
) -> None:
    """Section A as the oracle has it: kind, whose, and when, in one order."""
    through = write_dataset(tmp_path / "dataset", seed, 10, 40, SPICES)
    expected = [
        (_seconds(fact.known), fact.rank, fact.employee or fact.regency)
        for fact in oracle.facts_of(reading.read_dataset(tmp_path / "dataset"), through)
    ]

    assert list(_ranked(told(read_dataset(tmp_path / "dataset"), through))) == expected


def _seconds(known: datetime) -> int:
    """Give the instant; facts of no time are told at 0."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, int((known - epoch).total_seconds()))


def _ranked(facts: list[Planned]) -> Iterator[tuple[int, int, str]]:
    for fact in facts:
        name = fact.kind.__name__
        if name == "CheckInRecorded":
            device = fact.envelope.data.device
            yield fact.at, oracle.PUNCHES if device else oracle.OTHERS, fact.envelope.subject
        elif name in RANKS:
            yield fact.at, RANKS[name], fact.envelope.subject
