"""The AsyncAPI document says what stands on the topics, in a form that tools read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from shared.events.catalogue import BY_TYPE, KINDS
from shared.events.envelope import headers_of
from shared.runtime.contracts.schemas import ASYNCAPI, PROJECT
from shared.runtime.kafka.topics import PARTITIONS, PUBLISHED
from tests.events.golden import FILES, bytes_of, type_of


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load((PROJECT / ASYNCAPI).read_text())


def references(part: Any) -> Iterator[str]:
    """Find every reference in the document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def registry() -> Any:
    """Find schemas in files, as the document's references name them."""

    def read(uri: str) -> Resource[Any]:
        path = PROJECT / "docs" / uri
        return Resource.from_contents(json.loads(path.read_text()), DRAFT202012)

    return Registry(retrieve=read)  # type: ignore[call-arg]  # attrs renames the argument.


def test_it_is_read_by_another_implementation(document: Any) -> None:
    """FastStream has models of AsyncAPI 3 that were not written by us."""
    read = ApplicationSchema.model_validate(document)

    assert set(read.channels) == {*PUBLISHED, "parked"}


def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in set(references(document)):
        if reference.startswith("#/"):
            found = document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
        else:
            assert (PROJECT / "docs" / reference).is_file()


def test_each_type_stands_on_its_topic_and_no_other(document: Any) -> None:
    said = {
        name: channel["address"]
        for channel in document["channels"].values()
        for name in channel["messages"]
    }
    del said["parked"]

    assert said == {kind.type_name(): kind.TOPIC for kind in KINDS}


def test_topics_are_kept_for_ever_in_24_partitions(document: Any) -> None:
    for channel in document["channels"].values():
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == PARTITIONS == 24
        assert kafka["topicConfiguration"]["retention.ms"] == -1
        assert kafka["topicConfiguration"]["cleanup.policy"] == ["delete"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_record_is_what_the_document_promises(document: Any, path: Path) -> None:
    message = document["components"]["messages"][type_of(path)]
    value = json.loads(bytes_of(path))
    headers = {name: said.decode() for name, said in headers_of(value["type"], value["id"])}
    validator = jsonschema.Draft202012Validator(message["payload"], registry=registry())

    validator.validate(value)
    jsonschema.validate(headers, message["headers"])

    kind = BY_TYPE[type_of(path)]
    number = "broadcastseq" if kind.BROADCAST else None if kind.TOLD else "subjectseq"
    for name in filter(None, ("id", "data", number)):
        assert not validator.is_valid({key: said for key, said in value.items() if key != name})
