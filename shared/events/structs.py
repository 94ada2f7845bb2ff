"""The models as msgspec structs: one definition, ten times faster where a replay needs it.

A struct is derived from its pydantic model, field by field, so that the two cannot drift; a
property test holds that both accept and refuse the same bytes.
"""

import types
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import msgspec
from pydantic import AwareDatetime, BaseModel

from shared.events.base import Fact
from shared.events.envelope import Envelope

Aware = Annotated[datetime, msgspec.Meta(tz=True)]


@cache
def struct_of(model: type[BaseModel], only: frozenset[str] | None = None) -> type[msgspec.Struct]:
    """Give the struct with a model's fields; all are written, also those left at their default.

    They stand in the order in which canonical JSON has them, so that nothing need be sorted.
    `only`: for a reader who asks for no more than these, and passes over the rest.
    """
    fields: list[Any] = []
    for name, info in sorted(model.model_fields.items()):
        if only is not None and name not in only:
            continue
        kind = _struct_type(info.annotation)
        if info.is_required():
            fields.append((name, kind))
        else:
            fields.append((name, kind, info.get_default(call_default_factory=True)))
    return msgspec.defstruct(model.__name__, fields, kw_only=True, frozen=True)


def _struct_type(annotation: Any) -> Any:
    """Translate an annotation, models within it included."""
    if annotation is AwareDatetime:
        return Aware
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return struct_of(annotation)
    origin = get_origin(annotation)
    if origin is None or origin is Literal:
        return annotation
    arguments = tuple(a if a is Ellipsis else _struct_type(a) for a in get_args(annotation))
    if origin in (Union, types.UnionType):
        return Union[arguments]  # noqa: UP007  (built at run time)
    return origin[arguments]


@cache
def envelope_of(model: type[Fact], only: frozenset[str] | None = None) -> type[Envelope]:
    """Give the type of an envelope that holds this model's data as a struct (`only`: a part)."""
    made: Any = msgspec.defstruct(
        f"{model.__name__}Envelope",
        [("data", struct_of(model, only))],
        bases=(Envelope,),
        kw_only=True,
        frozen=True,
        omit_defaults=True,
    )
    return cast(type[Envelope], made)


@cache
def decoder_of(
    model: type[Fact], only: frozenset[str] | None = None
) -> "msgspec.json.Decoder[Envelope]":
    """Give the decoder of a record's value. Errors: msgspec's DecodeError, ValidationError."""
    return msgspec.json.Decoder(envelope_of(model, only))


def as_struct(fact: Fact) -> msgspec.Struct:
    """Turn a model into its struct, to be put into an envelope."""
    data: Mapping[str, Any] = fact.model_dump()
    return msgspec.convert(data, struct_of(type(fact)))
