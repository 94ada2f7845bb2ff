"""What is concluded anew against what was published: what differs is named, to the field."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.events import attendance, notifications
from shared.events.envelope import canonical
from shared.runtime.processing.stamping import Event
from shared.runtime.rebuild.comparison import Comparison, Differences, EnoughDiffer
from shared.runtime.rebuild.differing import Field, first_difference
from shared.runtime.rebuild.published_log import Published, digest_of

DERIVED = attendance.WorkdayAssessed.type_name()
TOLD = notifications.NotificationQueued.type_name()


def event(number: int, type_: str = DERIVED, **data: Any) -> Event:
    name = f"/toy/p1@{number}"
    said = {"id": name, "subject": "p1", "subjectseq": number, "type": type_, "data": data}
    return "topic", "p1", name, type_, canonical(said)


def compared(
    published: Sequence[Event], concluded: Sequence[Event], last: int, *, whole: bool = True
) -> tuple[list[str], list[str]]:
    """Give what differs, and the ids of what nobody has said yet."""
    values = [value for *_, value in published]
    comparison = Comparison(Published({*map(digest_of, values)}), {"p1": last}, frozenset({TOLD}))
    unsaid = comparison.take(concluded)
    found = Differences()
    comparison.end(iter(values), found, whole=whole)
    return found.shown, [name for _, _, name, _, _ in unsaid]


def test_what_is_equal_is_no_difference_however_often_it_stands_on_the_wire() -> None:
    said = [event(1, on=1), event(2, on=2)]

    assert compared([*said, *said], said, last=2) == ([], [])


def test_the_first_field_that_differs_is_shown_with_both_values() -> None:
    published, concluded = event(1, late=10, status="present"), event(1, late=12, status="x")

    assert compared([published, published], [concluded], last=1) == (
        ["/toy/p1@1 is concluded with other bytes than published: data.late was 10, and is 12"],
        [],
    )


def test_what_was_published_and_is_not_concluded_is_named() -> None:
    said = [event(1), event(2)]

    assert compared(said, said[:1], last=2)[0] == [
        "/toy/p1@2 was published, and is not concluded again"
    ]


def test_of_a_fold_that_was_broken_off_nothing_is_missed() -> None:
    assert compared([event(1), event(2)], [], last=2, whole=False) == ([], [])


def test_what_goes_beyond_the_last_number_is_not_said_yet() -> None:
    said = [event(1), event(2), event(3)]

    assert compared(said[:1], said, last=1) == ([], ["/toy/p1@2", "/toy/p1@3"])


def test_what_was_concluded_below_the_last_number_and_never_published_is_named() -> None:
    assert compared([event(2)], [event(1), event(2)], last=2)[0] == [
        "/toy/p1@1 is concluded, and was never published"
    ]


def test_nobody_concludes_what_was_told() -> None:
    assert compared([], [event(1, TOLD)], last=1)[0] == [
        "/toy/p1@1 is concluded beside what was told"
    ]
    assert compared([], [event(2, TOLD)], last=1) == ([], ["/toy/p1@2"])


def test_ten_differences_are_enough() -> None:
    numbers = range(1, 12)

    with pytest.raises(EnoughDiffer):
        compared([event(n) for n in numbers], [event(n, more=1) for n in numbers], last=11)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}, Field("a", "1", "2")),
        (
            {"a": {"b": [1, {"c": "x"}]}},
            {"a": {"b": [1, {"c": "y"}]}},
            Field("a.b[1].c", '"x"', '"y"'),
        ),
        ({"a": [1]}, {"a": [1, 2]}, Field("a[1]", "nothing", "2")),
        ({"a": 1}, {}, Field("a", "1", "nothing")),
        ({"a": None}, {"a": []}, Field("a", "null", "[]")),
        ({"a": True}, {"a": 1}, Field("a", "true", "1")),
        ({"a": "x" * 200}, {"a": ""}, Field("a", f'"{"x" * 78}…', '""')),
    ],
)
def test_the_first_difference_in_the_order_of_canonical_json(
    one: object, other: object, found: Field | None
) -> None:
    assert first_difference(canonical(one), canonical(other)) == found


def test_the_same_content_in_other_bytes_says_so() -> None:
    topic, key, name, type_, value = event(1, a=1)
    spaced = value.replace(b'"a":1', b'"a": 1')

    (said,) = compared([(topic, key, name, type_, spaced)], [event(1, a=1)], last=1)[0]

    assert said.endswith(": the same content, written otherwise")
