"""Every version ever told is read by today's code. The files are never edited, only added to."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import rfc8785
from pydantic import create_model

from shared.events import attendance
from shared.events.base import Fact
from shared.events.catalogue import BY_TYPE, KINDS
from shared.events.envelope import event_id
from shared.events.structs import decoder_of
from shared.runtime.contracts.schemas import PROJECT, SCHEMAS
from tests.events.golden import FILES, bytes_of, lost, type_of

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@every_file
def test_what_was_told_is_read_whole(path: Path) -> None:
    """A field that was removed or renamed would be passed over in silence: it is missed here."""
    assert lost(BY_TYPE[type_of(path)], bytes_of(path)) == []


@every_file
def test_a_model_reads_it_as_well(path: Path) -> None:
    said = json.loads(bytes_of(path))["data"]

    read = BY_TYPE[type_of(path)].model_validate_json(json.dumps(said), strict=True)

    assert said.items() <= read.model_dump(mode="json").items()


@every_file
def test_its_bytes_are_canonical(path: Path) -> None:
    value = bytes_of(path)

    assert value == rfc8785.dumps(json.loads(value))


@every_file
def test_its_schemas_accept_it(path: Path) -> None:
    said = json.loads(bytes_of(path))

    for schema, value in (("envelope", said), (said["type"], said["data"])):
        text = (PROJECT / SCHEMAS / f"{schema}.json").read_text()
        jsonschema.validate(value, json.loads(text), jsonschema.Draft202012Validator)


@every_file
def test_its_envelope_is_in_order(path: Path) -> None:
    """The type names its file; derived and told events are numbered, and so are broadcasts."""
    kind = BY_TYPE[type_of(path)]
    read = decoder_of(kind).decode(bytes_of(path))

    assert read.type == type_of(path)
    assert (read.broadcastseq is not None) == kind.BROADCAST
    if read.subjectseq is not None:
        assert read.id == event_id(read.source, read.subject, read.subjectseq)
    assert (read.subjectseq is None) == (kind.TOPIC == attendance.FACTS)


@every_kind
def test_every_field_of_a_type_was_told_once(kind: type[Fact]) -> None:
    """Who adds a type or a field adds a file in which it stands."""
    files = [path for path in FILES if type_of(path) == kind.type_name()]
    told: set[str] = set()
    for path in files:
        told.update(json.loads(bytes_of(path))["data"])

    assert files, f"{kind.type_name()} has no golden file"
    assert set(kind.model_fields) <= told


def test_a_renamed_field_is_noticed() -> None:
    """The proof that the test above can fail: `via`, renamed, with a default."""
    path = next(path for path in FILES if type_of(path).endswith(".CheckInRecorded.v1"))
    fields: dict[str, Any] = {
        name: (info.annotation, info)
        for name, info in attendance.CheckInRecorded.model_fields.items()
        if name != "via"
    }
    renamed = create_model("CheckInRecorded", __base__=Fact, by=(str, "device"), **fields)

    assert lost(renamed, bytes_of(path)) == [".data.via is not read"]


def test_a_retyped_field_is_noticed() -> None:
    path = next(path for path in FILES if type_of(path).endswith(".WorkdayClosed.v1"))
    retyped = create_model("WorkdayClosed", __base__=Fact, regency=(str, ...), on=(int, ...))

    with pytest.raises(msgspec.ValidationError):
        lost(retyped, bytes_of(path))
