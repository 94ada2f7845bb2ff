"""Matters as rows and back, and the envelopes of what is told."""

from collections.abc import Iterable, Sequence

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.discipline.domain.proposing import Heard, Said
from services.discipline.preview import stage
from services.discipline.projections import PROPOSALS, STANDING, CaseFile, Cases
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope, canonical
from shared.events.structs import as_struct, decoder_of
from shared.runtime.processing.in_memory import InMemoryProjection, project
from shared.runtime.projection import Row
from tests.discipline.examples import reached, retracted
from tests.discipline.test_proposing import histories


def enveloped(heard: Sequence[Heard]) -> list[Envelope]:
    """Give what attendance would have on its topic, one a day."""
    last: dict[str, int] = {}
    envelopes = []
    for day, each in enumerate(heard, start=1):
        person = each.said.employee_id
        last[person] = last.get(person, 0) + 1
        at = f"2026-02-{day:02}T12:00:00+08:00"
        envelopes.append(
            Envelope(
                id=each.event_id,
                source="/attendance",
                subject=person,
                subjectseq=last[person],
                type=type(each.said).type_name(),
                regency=each.regency,
                time=at,
                recordedtime=at,
                correlationid="chain",
                data=as_struct(each.said),
            )
        )
    return envelopes


def rows(driver: InMemoryProjection[CaseFile, None]) -> dict[str, list[Row]]:
    """Give the rows of `standing` by subject, as the query would."""
    names = [column.name for column in PROPOSALS.columns]
    wanted = [
        column.strip() for column in STANDING.sql[len("SELECT ") :].split(" FROM ")[0].split(",")
    ]
    found: dict[str, list[Row]] = {}
    kept = [dict(zip(names, row, strict=True)) for row in driver.rows(PROPOSALS.name)]
    for row in sorted(kept, key=lambda row: (row["subject"], row["heard"])):
        found.setdefault(row["subject"], []).append(tuple(row[name] for name in wanted))
    return found


def test_what_is_told_carries_the_times_and_causes_of_what_was_heard() -> None:
    """Design 3: no clock of its own, dense numbers, ids from them, the chain goes on."""
    three = reached("t3", 3)
    told = project(Cases(), enveloped([three, retracted("r3", three)]))

    assert [(e.id, e.subjectseq, e.causationid, e.correlationid, e.time) for e in told] == [
        ("/discipline/A@1", 1, "t3", "chain", "2026-02-01T12:00:00+08:00"),
        ("/discipline/A@2", 2, "r3", "chain", "2026-02-02T12:00:00+08:00"),
    ]
    assert {e.regency for e in told} == {"53.01"}


def test_what_is_told_can_be_read_from_its_bytes() -> None:
    told = project(Cases(), enveloped([reached("t3", 3), reached("t4", 4)]))

    for envelope in told:
        value = canonical(envelope)
        again = decoder_of(BY_TYPE[envelope.type]).decode(value)
        assert canonical(again) == value


def test_the_preview_gives_the_proposals_in_the_order_said() -> None:
    """E1, and D6: the superseded one is withdrawn when its threshold falls."""
    three, four = reached("t3", 3), reached("t4", 4)
    preview = stage()
    for event in enveloped([reached("b", 7, person="B"), three, four, retracted("r3", three)]):
        preview.hear(event)
    preview.hear(enveloped([reached("noted", 3)])[0])

    columns, found = preview.tables()["proposals"]

    assert ",".join(columns) == (
        "case_id,employee_id,year,measure,days,level,sanction,article,rule_set,state"
    )
    assert [(row[1], row[4], row[8], row[9]) for row in found] == [
        ("A", 3, "pp94-2021@1", "withdrawn"),
        ("A", 4, "pp94-2021@1", "proposed"),
        ("B", 7, "pp94-2021@1", "proposed"),
    ]


@for_all(histories(), st.data())
def test_a_person_restored_from_rows_goes_on_as_if_never_put_away(
    heard: list[Heard], data: st.DataObject
) -> None:
    """The runner may throw its memory away after any record."""
    cut = data.draw(st.integers(0, len(heard)))
    before, after = enveloped(heard)[:cut], enveloped(heard)[cut:]
    driver = InMemoryProjection(Cases(), keep_rows=True)
    told = [each for event in before for each in driver.hear(event)]

    for subject, found in rows(driver).items():
        driver.states[subject] = Cases().restore(subject, {STANDING.name: found})
    told += [each for event in after for each in driver.hear(event)]

    assert in_bytes(told) == in_bytes(project(Cases(), enveloped(heard)))


@for_all(histories(), st.permutations(range(24)))
def test_two_people_by_turns_end_as_each_alone(heard: list[Heard], turns: list[int]) -> None:
    other = [Heard(f"b-{e.event_id}", "53.71", _of_other(e)) for e in heard]
    both = [*enveloped(heard), *enveloped(other)]
    order = sorted(range(len(both)), key=lambda i: (turns[i % 24], i))
    mixed = [both[i] for i in _in_order_of_each(order, len(heard))]

    told = project(Cases(), mixed)

    assert in_bytes(e for e in told if e.subject == "A") == in_bytes(
        project(Cases(), enveloped(heard))
    )
    assert in_bytes(e for e in told if e.subject == "B") == in_bytes(
        project(Cases(), enveloped(other))
    )


def test_a_record_delivered_again_is_dropped() -> None:
    events = enveloped([reached("t3", 3), reached("t4", 4)])

    assert len(project(Cases(), [*events, events[0], events[1]])) == 2


def in_bytes(events: Iterable[Envelope]) -> list[bytes]:
    return [canonical(event) for event in events]


def _of_other(heard: Heard) -> Said:
    changes = {"employee_id": "B"}
    if hasattr(heard.said, "threshold_event_id"):
        changes["threshold_event_id"] = f"b-{heard.said.threshold_event_id}"
    return heard.said.model_copy(update=changes)


def _in_order_of_each(order: list[int], first: int) -> list[int]:
    """Keep the drawn turns between the people, and each person's own order."""
    mine, theirs = iter(range(first)), iter(range(first, 2 * first))
    return [next(mine) if index < first else next(theirs) for index in order]
