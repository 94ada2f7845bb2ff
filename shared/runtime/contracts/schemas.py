"""The contracts as documents, generated from the models: JSON Schemas and the AsyncAPI document.

One JSON Schema for the `data` of each type, one for the envelope, and `docs/asyncapi.yaml`, which
says what is on which topic. They are committed, and CI compares them with the models.
"""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from shared.events.base import Fact
from shared.events.catalogue import BY_TYPE, KINDS
from shared.events.envelope import Envelope
from shared.runtime.contracts.asyncapi import document
from shared.runtime.contracts.compatibility import breaks

PROJECT = Path(__file__).resolve().parents[3]
SCHEMAS = "shared/events/schemas"
ASYNCAPI = "docs/asyncapi.yaml"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Field names are titles enough."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Give False: the name of a field is title enough."""
        return False


def schema_of(kind: type[Fact]) -> dict[str, Any]:
    """Give the JSON Schema of a type's `data`."""
    made = kind.model_json_schema(schema_generator=_Untitled)
    return {"$schema": DIALECT, "$id": f"{kind.type_name()}.json", **made}


def envelope_schema() -> dict[str, Any]:
    """Give the JSON Schema of the envelope, whatever its `data` is."""
    (made,) = msgspec.json.schema(Envelope)["$defs"].values()
    made["description"] = inspect.cleandoc(made["description"])
    made["properties"]["specversion"] = {"const": "1.0"}
    made["properties"]["datacontenttype"] = {"const": "application/json"}
    made["required"] = sorted([*made["required"], "specversion", "datacontenttype"])
    return {"$schema": DIALECT, "$id": "envelope.json", **made}


def documents() -> dict[str, str]:
    """Give the text of every generated file, by its path in the repository."""
    schemas = {kind.type_name(): schema_of(kind) for kind in KINDS}
    schemas["envelope"] = envelope_schema()
    texts = {f"{SCHEMAS}/{name}.json": _json(schema) for name, schema in schemas.items()}
    texts[ASYNCAPI] = document(f"../{SCHEMAS}")
    return texts


def committed(project: Path) -> dict[str, str]:
    """Read the generated files as they stand in a checkout."""
    paths = [*(project / SCHEMAS).glob("*.json"), project / ASYNCAPI]
    return {
        path.relative_to(project).as_posix(): path.read_text() for path in paths if path.exists()
    }


def drifted(project: Path) -> list[str]:
    """Name the files that are not what the models give: changed, missing or left over."""
    there, wanted = committed(project), documents()
    return sorted(path for path in there | wanted if there.get(path) != wanted.get(path))


def broken(project: Path, kinds: Mapping[str, type[BaseModel]] = BY_TYPE) -> list[str]:
    """Name what the models break of the committed schemas (design 3: fields are only added)."""
    found = []
    for path in sorted((project / SCHEMAS).glob("tertib.*.json")):
        kind = kinds.get(path.stem)
        if kind is None:
            found.append(f"{path.stem}: the type is gone, and its records are on the log for ever")
            continue
        new = kind.model_json_schema(schema_generator=_Untitled)
        found.extend(f"{path.stem}: {what}" for what in breaks(json.loads(path.read_text()), new))
    return found


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
