"""What the facts say: ids, sealed values, PINs resolved (semantics A8, A9, A13, A14)."""

from pathlib import Path

import pytest

from services.attendance.backfill.plan import kids_of
from services.attendance.backfill.plan_entries import Planned
from shared.events import attendance as words
from shared.events.catalogue import KINDS
from shared.events.envelope import canonical
from shared.events.sealing import KEY_BYTES, KeySealer, person_kid, place_of, regency_kid, unseal
from shared.events.structs import decoder_of
from tests.attendance.dataset.making import BASE, EMPLOYEES, brief, load, planned, rows

MONDAY = "2026-01-05"
END = "2026-02-28"
Punch = tuple[str, str, str]


def punches(facts: list[Planned]) -> list[Punch]:
    """Give kind, whose, and when it became known."""
    return [
        (f.kind.__name__, f.envelope.subject, f.envelope.recordedtime[:16])
        for f in facts
        if f.kind in (words.CheckInRecorded, words.PunchUnresolved)
    ]


def heard(
    folder: Path, pins: tuple[str, ...], *lines: str, late: tuple[str, ...] = ()
) -> list[Punch]:
    """Read a log of machine D1 with its PIN rows, and give what is told of its punches."""
    log = "".join(f"{line}\n" for line in lines).replace("|", "\t")
    dataset = load(
        folder, {"attlog/D1.dat": log}, rows("pins.csv", *pins), rows("late-uploads.csv", *late)
    )
    return punches(planned(dataset, END))


def test_a_punch_whose_pin_nobody_has_waits_for_it(tmp_path: Path) -> None:
    """A8: it is told as unresolved when heard, and as a check-in when the PIN is known."""
    found = heard(
        tmp_path,
        ("D1,7,A,2026-01-01,,2026-01-09T10:00",),
        "7|2026-01-05 07:00:00",
        "7|2026-01-10 07:00:00",
        "8|2026-01-05 07:00:00",
    )

    assert found == [
        ("PunchUnresolved", "D1", "2026-01-05T07:00"),
        ("PunchUnresolved", "D1", "2026-01-05T07:00"),
        ("CheckInRecorded", "A", "2026-01-09T10:00"),
        ("CheckInRecorded", "A", "2026-01-10T07:00"),
    ]


def test_an_explained_check_in_says_when_it_happened_and_what_explained_it(tmp_path: Path) -> None:
    dataset = load(
        tmp_path,
        {"attlog/D1.dat": "7\t2026-01-05 07:00:00\t255\t15\n"},
        rows("pins.csv", "D1,7,A,2026-01-01,,2026-01-09T10:00"),
    )
    facts = {f.kind: f.envelope for f in planned(dataset, END)}
    waiting, explained = facts[words.PunchUnresolved], facts[words.CheckInRecorded]

    assert explained.time == waiting.time == "2026-01-05T07:00:00+08:00"
    assert explained.recordedtime == "2026-01-09T10:00:00+08:00"
    assert explained.data.received_at.isoformat() == "2026-01-05T07:00:00+08:00"
    assert explained.causationid == facts[words.PinAssigned].id
    assert waiting.causationid is None
    assert (waiting.data.serial, waiting.data.pin) == ("D1", "7")
    assert (waiting.data.status, waiting.data.verify) == ("255", "15")


def test_a_pin_known_in_the_second_of_the_punch_is_known_before_it(tmp_path: Path) -> None:
    """A10: nobody waits for what is told first."""
    found = heard(tmp_path, ("D1,7,A,2026-01-01,,2026-01-05T07:00:00",), "7|2026-01-05 07:00:00")

    assert found == [("CheckInRecorded", "A", "2026-01-05T07:00")]


def test_a_late_pin_never_takes_a_check_in_from_another_person(tmp_path: Path) -> None:
    """A8: B's row would cover the punch, but A had it when it was heard."""
    found = heard(
        tmp_path,
        ("D1,7,A,2026-01-01,,", "D1,7,B,2026-01-05,,2026-01-06T10:00"),
        "7|2026-01-05 07:00:00",
        "7|2026-01-07 07:00:00",
    )

    assert found == [
        ("CheckInRecorded", "A", "2026-01-05T07:00"),
        ("CheckInRecorded", "B", "2026-01-07T07:00"),
    ]


def test_a_late_pin_that_does_not_cover_the_day_explains_nothing(tmp_path: Path) -> None:
    """A8: the row after it does."""
    found = heard(
        tmp_path,
        ("D1,7,A,2026-01-06,,2026-01-07", "D1,7,B,2026-01-01,2026-01-05,2026-01-08"),
        "7|2026-01-05 07:00:00",
    )

    assert found == [
        ("PunchUnresolved", "D1", "2026-01-05T07:00"),
        ("CheckInRecorded", "B", "2026-01-08T00:00"),
    ]


@pytest.mark.parametrize(
    ("pins", "owner"),
    [
        (("2026-01-05,2026-01-05",), "A"),
        (("2026-01-06,",), None),
        (("2026-01-01,2026-01-04",), None),
        (("2026-01-01,", "2026-01-05,"), "B"),
        (("2026-01-05,", "2026-01-01,"), "A"),
        (("2026-01-01,", "2026-01-02,2026-01-04"), None),
        (("2026-01-01,", "2026-01-01,"), "B"),
    ],
    ids=[
        "inclusive", "too early", "over", "last begun", "in any order", "last begun is over",
        "begun together",
    ],
)  # fmt: skip
def test_of_overlapping_pins_the_last_begun_counts(
    tmp_path: Path, pins: tuple[str, ...], owner: str | None
) -> None:
    """A9: if that has ended, nobody."""
    lines = tuple(f"D1,7,{who},{dates}," for who, dates in zip("AB", pins, strict=False))
    ((kind, whose, _),) = heard(tmp_path, lines, "7|2026-01-05 07:00:00")

    assert (kind, whose) == ("CheckInRecorded", owner) if owner else ("PunchUnresolved", "D1")
    assert whose == (owner or "D1")


def test_a_pin_goes_by_the_date_of_the_machine(tmp_path: Path) -> None:
    """A9: at half past midnight it is yesterday in UTC."""
    found = heard(tmp_path, ("D1,7,A,2026-01-05,2026-01-05,",), "7|2026-01-05 00:30:00")

    assert found == [("CheckInRecorded", "A", "2026-01-05T00:30")]


def test_pins_are_text_without_surrounding_blanks(tmp_path: Path) -> None:
    found = heard(
        tmp_path, ("D1, 007 ,A,2026-01-01,,",), " 007|2026-01-05 07:00:00", "7|2026-01-05 07:00:01"
    )

    assert [kind for kind, _, _ in found] == ["CheckInRecorded", "PunchUnresolved"]


def test_a_late_upload_becomes_known_when_it_is_received(tmp_path: Path) -> None:
    """A13: inclusive, and heard in the order of the file; the others at their own time."""
    found = heard(
        tmp_path,
        ("D1,1,A,2020-01-01,,", "D1,2,B,2020-01-01,,"),
        "1|2026-01-05 07:59:59",
        "2|2026-01-05 09:00:00",
        "1|2026-01-05 08:00:00",
        "1|2026-01-05 09:00:01",
        late=("D1,2026-01-05T08:00,2026-01-05T09:00,2026-01-08T10:00",),
    )

    assert found == [
        ("CheckInRecorded", "A", "2026-01-05T07:59"),
        ("CheckInRecorded", "A", "2026-01-05T09:00"),
        ("CheckInRecorded", "B", "2026-01-08T10:00"),
        ("CheckInRecorded", "A", "2026-01-08T10:00"),
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_overlapping_late_uploads_the_latest_counts(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    """A13: in whatever order they stand, also where one is no later than the punch."""
    late = (
        "D1,2026-01-05,2026-01-05,2026-01-05T07:00:00",
        "D1,2026-01-05T06:00,2026-01-06T06:00,2026-01-05T06:30",
    )
    pins = ("D1,1,A,2020-01-01,,",)
    uploads = tuple(late[place] for place in order)
    ((_, _, known),) = heard(tmp_path, pins, "1|2026-01-05 07:00:00", late=uploads)

    assert known == "2026-01-05T07:00"


def test_a_punch_heard_again_is_no_news(tmp_path: Path) -> None:
    """A14: serial, PIN and device time; two machines in one second are two check-ins."""
    line = "1\t2026-01-05 07:00:00"
    pins = rows("pins.csv", "D1,1,A,2020-01-01,,", "D2,1,A,2020-01-01,,")
    dataset = load(
        tmp_path,
        pins,
        {
            "attlog/D1.dat": f"{line}\t0\n{line}\t255\n",
            "attlog/D2.dat": "1\t2026-01-05 06:00:00\n",
        },
    )
    facts = [f.envelope for f in planned(dataset, END) if f.kind is words.CheckInRecorded]

    assert [(f.data.device.serial, f.data.device.status) for f in facts] == [
        ("D1", "0"),
        ("D2", None),
    ]
    assert facts[0].time == "2026-01-05T07:00:00+08:00"
    assert facts[1].time == "2026-01-05T06:00:00+07:00"


def test_an_unresolved_punch_heard_again_is_no_news_either(tmp_path: Path) -> None:
    assert len(heard(tmp_path, (), *["9|2026-01-05 07:00:00"] * 3)) == 1


def test_without_a_machine_employee_instant_and_via_are_the_key(tmp_path: Path) -> None:
    """A14: the first known stands, wherever it is in the file."""
    dataset = load(
        tmp_path,
        rows(
            "check-ins.csv",
            "A,2026-01-05T07:00,2026-01-06T08:00,manual",
            "A,2026-01-05T06:00+07:00,2026-01-05T09:00,manual",
            "A,2026-01-05T07:00,,mobile",
            "B,2026-01-05T07:00,,mobile",
        ),
    )

    assert punches(planned(dataset, END)) == [
        ("CheckInRecorded", "A", "2026-01-05T07:00"),
        ("CheckInRecorded", "B", "2026-01-05T07:00"),
        ("CheckInRecorded", "A", "2026-01-05T09:00"),
    ]


def test_a_clock_that_began_anew_is_a_doubt_and_no_verdict(tmp_path: Path) -> None:
    dataset = load(
        tmp_path,
        rows("pins.csv", "D1,1,A,2000-01-01,,"),
        {"attlog/D1.dat": "1\t2000-01-01 00:03:19\n1\t2026-01-05 07:00:00\n"},
    )
    facts = [f.envelope for f in planned(dataset, END) if f.kind is words.CheckInRecorded]

    assert [f.data.signals for f in facts] == [("device_clock_reset",), ()]


def test_rows_that_are_equal_are_told_apart_by_their_number(tmp_path: Path) -> None:
    """A14: the ordinal among rows equal in all that is not personal."""
    line = "A,198001012005012065,{},53.01,U1,PNS,,,,2020-01-01,,2026-01-05T00:30\n"
    decree = "2026-01-09,53.01,holiday,x,2026-01-05"
    dataset = load(
        tmp_path,
        {"employees.csv": EMPLOYEES + line.format("Ani") + line.format("Anny"), "pins.csv": None},
        rows("calendar.csv", decree, decree),
    )
    facts = planned(dataset, END)

    for kind in (words.EmployeeRegistered, words.CalendarPublished):
        ids = [f.envelope.id for f in facts if f.kind is kind]
        assert len(ids) == len(set(ids)) == 2


def test_no_id_follows_from_a_personal_value(tmp_path: Path) -> None:
    """Design 3: an id outlives the person's key."""
    other = BASE["employees.csv"].replace("Ani", "Nia").replace("198001012005012065", "")
    letter = "X,A,2026-01-05,2026-01-05,{},{},2026-01-05,"
    outage = "O,53.01,,,2026-01-05,,{},2026-01-05"

    def ids(folder: Path, kind: str, employees: str) -> list[str]:
        dataset = load(
            folder,
            {"employees.csv": employees},
            rows("excuses.csv", letter.format(kind, kind)),
            rows("outages.csv", outage.format(kind)),
        )
        return [f.envelope.id for f in planned(dataset, END)]

    assert ids(tmp_path / "1", "sakit", BASE["employees.csv"]) == ids(tmp_path / "2", "x", other)


def test_the_first_known_line_carries_the_contacts(tmp_path: Path) -> None:
    """A6: contacts are known with the person's first line."""
    earlier = "A,,,53.01,U1,CPNS,,,,2019-01-01,,2026-01-04\n"
    dataset = load(
        tmp_path,
        {"employees.csv": BASE["employees.csv"] + earlier},
        rows(
            "contacts.csv", "A,mail,ani@example.org", "A,whatsapp,+620001", "B,mail,b@example.org"
        ),
    )
    facts = [f.envelope for f in planned(dataset, END) if f.kind is words.EmployeeRegistered]

    channels = [(f.subject, [c.channel for c in f.data.contacts]) for f in facts]
    assert channels == [("A", ["mail", "whatsapp"]), ("A", []), ("B", ["mail"]), ("C", [])]


def full(folder: Path) -> list[Planned]:
    """Plan a dataset in which every kind of fact and every personal value occurs, sealed."""
    dataset = load(
        folder,
        {"attlog/D1.dat": "1\t2026-01-05 07:00:00\n9\t2026-01-05 07:00:00\n"},
        rows("contacts.csv", "A,mail,ani@example.org"),
        rows("shifts.csv", "A,2026-01-09,kantor,2026-01-05"),
        rows("calendar.csv", "2026-01-09,ID,holiday,Libur,2026-01-05"),
        rows("excuses.csv", "X,A,2026-01-05,2026-01-05,sakitnya,surat.pdf,2026-01-05,2026-01-06"),
        rows("outages.csv", "O,53.01,U1,D1,2026-01-05,,listriknya padam,2026-01-05"),
    )
    keys = {kid: bytes([place] * KEY_BYTES) for place, kid in enumerate(sorted(kids_of(dataset)))}
    return planned(dataset, END, KeySealer(keys))


def test_the_bytes_of_every_fact_are_those_of_its_model(tmp_path: Path) -> None:
    facts = full(tmp_path)

    assert {f.kind for f in facts} == {
        kind
        for kind in KINDS
        if kind.TOPIC == words.FACTS and kind not in (words.PersonForgotten, words.FoldAdopted)
    }
    for fact in facts:
        value = canonical(fact.envelope)
        again = decoder_of(fact.kind).decode(value)
        kind_model = fact.kind.model_validate_json(canonical(fact.envelope.data))
        assert canonical(again) == value
        assert fact.envelope.type == kind_model.type_name()
        assert (fact.key is None) == fact.kind.BROADCAST
        assert fact.envelope.source == "/attendance"


def test_nothing_personal_stands_in_the_bytes(tmp_path: Path) -> None:
    log = b"\n".join(canonical(f.envelope) for f in full(tmp_path))

    for value in ("Ani", "Budi", "198001012005012065", "ani@example.org", "sakitnya", "surat.pdf"):
        assert value.encode() not in log
    assert b"listriknya" not in log
    assert b"person/A" in log


def test_sealed_values_open_with_the_key_at_their_place(tmp_path: Path) -> None:
    facts = full(tmp_path)
    kids = sorted(["person/A", "person/B", "person/C", "regency/53.01"])
    line = next(f.envelope for f in facts if f.kind is words.EmployeeRegistered)
    outage = next(f.envelope for f in facts if f.kind is words.OutageDeclared)

    key = bytes([kids.index(person_kid("A"))] * KEY_BYTES)
    assert unseal(key, line.data.name, place_of(line.type, "A")) == "Ani"
    key = bytes([kids.index(regency_kid("53.01"))] * KEY_BYTES)
    assert unseal(key, outage.data.reason, place_of(outage.type, "53.01")) == "listriknya padam"


def test_of_a_forgotten_person_nothing_is_told(tmp_path: Path) -> None:
    """Design 3: publishers skip that person; the PIN is nobody else's for that."""
    dataset = load(
        tmp_path,
        {"attlog/D1.dat": "1\t2026-01-05 07:00:00\n2\t2026-01-05 07:00:00\n"},
        rows("excuses.csv", "X,A,2026-01-05,2026-01-05,s,,2026-01-05,"),
        rows("shifts.csv", "A,2026-01-05,,2026-01-05"),
    )
    keys: dict[str, bytes | None] = dict.fromkeys(kids_of(dataset), bytes(KEY_BYTES))
    facts = planned(dataset, END, KeySealer({**keys, person_kid("A"): None}))

    assert not [f for f in facts if f.key == "A"]
    assert "PunchUnresolved" not in {kind for kind, _, _ in brief(facts)}
    assert [f.envelope.data.employee_id for f in facts if f.kind is words.PinAssigned] == [
        "B",
        "C",
    ]
    assert [f.key for f in facts if f.kind is words.CheckInRecorded] == ["B"]
