"""A struct and its model are one definition: they accept and refuse the same bytes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events.base import Fact
from shared.events.catalogue import KINDS
from shared.events.envelope import Envelope, canonical, canonical_event
from shared.events.structs import as_struct, struct_of
from tests.events.making import damaged, data_of, texts

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
some = settings(max_examples=25, deadline=None)

# The log's grammar of times is RFC 3339. Pydantic knows more forms (`2026-03-02T07:30Z` without
# seconds, `_` for `T`, seconds since 1970 as text); structs, which decide, refuse them.
ONLY_RFC_3339 = "Invalid RFC3339 encoded dat"


def by_model(kind: type[Fact], value: bytes) -> bytes | None:
    """Read with pydantic; give the canonical bytes, or None if it is refused."""
    try:
        return canonical(as_struct(kind.model_validate_json(value, strict=True)))
    except ValidationError:
        return None


def by_struct(kind: type[Fact], value: bytes) -> tuple[bytes | None, str]:
    """Read with msgspec; the second says why it was refused."""
    try:
        return canonical(msgspec.json.decode(value, type=struct_of(kind))), ""
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return None, str(error)


@every_kind
@some
@given(data=st.data())
def test_an_event_written_in_order_has_canonical_bytes(
    kind: type[Fact], data: st.DataObject
) -> None:
    struct = msgspec.json.decode(json.dumps(data.draw(data_of(kind))), type=struct_of(kind))
    text, number = data.draw(texts), data.draw(st.none() | st.integers(1, 2**53 - 1))
    envelope = Envelope(
        broadcastseq=number, causationid=data.draw(st.none() | texts), data=struct, id=text,
        recordedtime=text, regency=text, source=text, subject=text, time=text, type=text,
    )  # fmt: skip

    assert canonical_event(envelope) == canonical(envelope)


def assert_agreed(kind: type[Fact], value: bytes) -> None:
    model, (struct, why) = by_model(kind, value), by_struct(kind, value)

    if model != struct:
        assert struct is None, "a struct accepts what its model refuses, or reads it otherwise"
        assert why.startswith(ONLY_RFC_3339)


@every_kind
@some
@given(data=st.data())
def test_what_is_well_formed_is_read_alike(kind: type[Fact], data: st.DataObject) -> None:
    value = json.dumps(data.draw(data_of(kind))).encode()

    assert by_struct(kind, value)[0] is not None
    assert by_model(kind, value) == by_struct(kind, value)[0]


@every_kind
@some
@given(data=st.data())
def test_what_is_damaged_is_refused_alike(kind: type[Fact], data: st.DataObject) -> None:
    assert_agreed(kind, json.dumps(data.draw(damaged(kind))).encode())


@every_kind
@some
@given(data=st.data())
def test_bytes_that_were_cut_or_changed_are_refused_alike(
    kind: type[Fact], data: st.DataObject
) -> None:
    """Of valid UTF-8: msgspec does not look at the bytes of fields that nobody reads."""
    value = json.dumps(data.draw(data_of(kind)), ensure_ascii=False)
    at = data.draw(st.integers(0, len(value) - 1))
    changed = value[:at] + data.draw(texts) + value[at + data.draw(st.integers(0, 3)) :]

    assert_agreed(kind, changed.encode())


@every_kind
def test_damage_reaches_both_outcomes(kind: type[Fact]) -> None:
    """The proof that the tests above look at refusals and not only at good data."""
    outcomes: set[bool] = set()

    @settings(max_examples=60, deadline=None, database=None)
    @given(damaged(kind))
    def look(data: dict[str, Any]) -> None:
        outcomes.add(by_model(kind, json.dumps(data).encode()) is None)

    look()

    assert outcomes == {True, False}
