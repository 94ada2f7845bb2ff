"""JSON of the models' data: well-formed, and damaged in one place."""

import datetime as dt
import types
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from pydantic import AwareDatetime, BaseModel

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
offsets = st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)
times = st.datetimes(timezones=offsets).map(dt.datetime.isoformat)
days = st.dates().map(dt.date.isoformat)
others = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | times
    | days
    | st.sampled_from(
        ["2026-03-02T07:30", "2026-03-02", "2026-3-2", "1709337600", "07:30", "", "*"]
    )
    | st.lists(texts, max_size=2)
    | st.dictionaries(texts, texts, max_size=2)
)


def data_of(model: type[BaseModel]) -> SearchStrategy[dict[str, Any]]:
    """Make what the model accepts; fields with a default are left out now and then."""
    required = {n: i.annotation for n, i in model.model_fields.items() if i.is_required()}
    optional = {n: i.annotation for n, i in model.model_fields.items() if not i.is_required()}
    return st.fixed_dictionaries(
        {name: _value(kind) for name, kind in required.items()},
        optional={name: _value(kind) for name, kind in optional.items()},
    )


def _value(kind: Any) -> SearchStrategy[Any]:
    simple = {
        str: texts,
        int: st.integers(-(2**53), 2**53),
        bool: st.booleans(),
        dt.date: days,
        AwareDatetime: times,
        type(None): st.none(),
    }
    if kind in simple:
        return simple[kind]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return data_of(kind)
    inner = get_args(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from(inner)
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of([_value(one) for one in inner])
    if get_origin(kind) is tuple:
        return st.lists(_value(inner[0]), max_size=3)
    return st.dictionaries(_value(inner[0]), _value(inner[1]), max_size=3)


@st.composite
def damaged(draw: DrawFn, model: type[BaseModel]) -> dict[str, Any]:
    """Take well-formed data and change it in one place: another value, one more, one less."""
    whole = draw(data_of(model))
    part = draw(st.sampled_from([*_objects(whole)]))
    name = draw(st.sampled_from(sorted(part) or ["nothing"]) | texts)
    if draw(st.booleans()):
        part.pop(name, None)
    else:
        part[name] = draw(others)
    return whole


def _objects(value: Any) -> Any:
    """Find every object within a value."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
