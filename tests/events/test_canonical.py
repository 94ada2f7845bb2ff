"""Canonical bytes are those of RFC 8785, for everything that Tertib writes."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shared.events.envelope import canonical

# Names of fields and details are ours: none has a surrogate pair, which RFC 8785 sorts otherwise.
names = st.text(st.characters(max_codepoint=0xD7FF), max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
plain = st.recursive(
    st.none() | st.booleans() | whole | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)


@given(plain)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(names, whole, min_size=2), st.randoms(use_true_random=False))
def test_the_order_of_construction_leaves_no_trace(value: dict[str, int], dice: Any) -> None:
    items = list(value.items())
    dice.shuffle(items)

    assert canonical(dict(items)) == canonical(value)


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical({"a": object()})
