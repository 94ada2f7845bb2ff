"""The models as msgspec structs: one definition, ten times faster where a replay needs it.

A struct is derived from its pydantic model, field by field, so that the two cannot drift; a
property test holds that both accept and refuse the same bytes.

To the type checker a struct is its model: `maker_of` takes over the model's signature, so that a
wrong, missing or unknown field is found where an event is made. At run time the struct has the
model's fields and nothing else of it: no validation, no method of pydantic, no `isinstance`.
"""

import types
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin

import msgspec
from pydantic import AwareDatetime, BaseModel

from shared.events.base import Fact, Wire
from shared.events.envelope import Envelope

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Fields = ParamSpec("Fields")
Model = TypeVar("Model", bound=Wire)

_MODELS: dict[type[object], type[BaseModel]] = {}  # By the struct that was derived of it.


@cache
def struct_of(model: type[BaseModel], only: frozenset[str] | None = None) -> type[msgspec.Struct]:
    """Give the struct with a model's fields; all are written, also those left at their default.

    The fields are declared in the order of canonical JSON, so that nothing has to be sorted.
    `only`: decode these fields and skip the rest.
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
    struct = msgspec.defstruct(model.__name__, fields, kw_only=True, frozen=True)
    if only is None:
        _MODELS[struct] = model
    return struct


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


def maker_of(model: Callable[Fields, Model]) -> Callable[Fields, Model]:
    """Give the constructor of a model's struct, with the model's own signature.

    It is the struct's class itself: what it costs to make one is what msgspec costs.
    """
    return cast(Callable[Fields, Model], struct_of(cast(type[Wire], model)))


def model_of(data: Model) -> type[Model]:
    """Give the model of what `maker_of` made. Errors: KeyError for anything else."""
    return cast(type[Model], _MODELS[type(data)])


def struct_from(model: type[Model], fields: Mapping[str, object]) -> Model:
    """Make a model's struct of fields that were read, such as those of a document.

    The mappings within become structs, too. Errors: msgspec.ValidationError.
    """
    return cast(Model, msgspec.convert(fields, struct_of(model)))


def data_decoder_of(model: type[Model]) -> "msgspec.json.Decoder[Model]":
    """Give the decoder of a model's data alone, without its envelope."""
    return cast("msgspec.json.Decoder[Model]", msgspec.json.Decoder(struct_of(model)))


def as_struct(model: Model) -> Model:
    """Turn a model into its struct, to be put into an envelope."""
    return struct_from(type(model), model.model_dump())
