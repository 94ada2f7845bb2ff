"""Sealing: deterministic, bound to its place, and only for who has the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.base import Sealed
from shared.events.sealing import (
    KEY_BYTES,
    KeySealer,
    Redacting,
    UnsealableError,
    person_kid,
    place_of,
    regency_kid,
    seal,
    unseal,
)

KEY, OTHER = bytes(range(KEY_BYTES)), bytes(reversed(range(KEY_BYTES)))
LINE = "tertib.attendance.EmployeeRegistered.v1"
LETTER = "tertib.attendance.ExcuseRecorded.v1"
HERE = place_of(LINE, "P1")
texts = st.text(max_size=80)


@given(texts)
def test_what_is_sealed_can_be_read_again_with_the_key(text: str) -> None:
    assert unseal(KEY, seal(KEY, "person/P1", HERE, text), HERE) == text


@given(texts)
def test_the_same_value_at_the_same_place_gives_the_same_bytes(text: str) -> None:
    assert seal(KEY, "person/P1", HERE, text) == seal(KEY, "person/P1", HERE, text)


def test_the_bytes_of_a_known_value_never_change() -> None:
    """They stand on a permanent log: other bytes would make an old fact a contradiction."""
    sealed = seal(KEY, "person/P1", HERE, "sakit")

    assert sealed == Sealed(kid="person/P1", ct="mqFxt0bivFg1FjYSZH+Q5saSQhG/c54Aq/scFBGhbVc=")


@pytest.mark.parametrize("there", [place_of(LETTER, "P1"), place_of(LINE, "P2")])
def test_ciphertext_does_not_open_at_another_place(there: tuple[bytes, bytes]) -> None:
    sealed = seal(KEY, "person/P1", HERE, "sakit")

    with pytest.raises(UnsealableError, match="person/P1"):
        unseal(KEY, sealed, there)
    assert seal(KEY, "person/P1", there, "sakit").ct != sealed.ct


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(UnsealableError):
        unseal(OTHER, seal(KEY, "person/P1", HERE, "sakit"), HERE)


@pytest.mark.parametrize("ct", ["", "c2FraXQ=", "not base64"])
def test_bytes_that_were_never_sealed_do_not_open(ct: str) -> None:
    with pytest.raises(UnsealableError):
        unseal(KEY, Sealed(kid="person/P1", ct=ct), HERE)


def test_short_values_are_of_one_length() -> None:
    """Else the length would tell one kind of letter from another."""
    lengths = {len(seal(KEY, "k", HERE, kind).ct) for kind in ("", "sakit", "cuti", "dinas luar")}

    assert len(lengths) == 1


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"length|bits|key"):
        seal(b"short", "k", HERE, "sakit")


def test_a_sealer_seals_under_the_persons_key() -> None:
    sealed = KeySealer({person_kid("P1"): KEY}).seal(person_kid("P1"), LINE, "P1", "sakit")

    assert sealed.kid == "person/P1"
    assert unseal(KEY, sealed, HERE) == "sakit"


def test_a_forgotten_person_is_known_as_such_and_never_sealed_for() -> None:
    sealer = KeySealer({person_kid("P1"): None, person_kid("P2"): KEY})

    assert sealer.is_forgotten("person/P1")
    assert not sealer.is_forgotten("person/P2")
    with pytest.raises(KeyError):
        sealer.seal("person/P1", LINE, "P1", "sakit")


def test_a_kid_without_a_key_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        KeySealer({}).seal(regency_kid("53.01"), LINE, "53.01", "listrik padam")


def test_a_preview_says_that_a_value_was_there_and_nothing_of_it() -> None:
    assert Redacting().seal("person/P1", LINE, "P1", "sakit") == Sealed(kid="person/P1", ct="")
    assert not Redacting().is_forgotten("person/P1")
