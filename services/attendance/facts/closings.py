"""Which workdays of a regency are closed, as the publisher's own database knows it (A1).

The fold takes no closing that does not follow the last one, and a broadcast on the log is never
taken back: so it is asked here, under the regency's lock, before it has a number.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from services.attendance.dataset.closings import NEXT
from shared.errors import CannotRunError
from shared.events.attendance import WorkdayClosed
from shared.events.envelope import Envelope
from shared.runtime.broadcast.facts import Facts
from shared.runtime.broadcast.transaction import FactsTransaction

_TYPE = WorkdayClosed.type_name()


class _Data(msgspec.Struct):
    on: date


class _Closing(msgspec.Struct):
    data: _Data


_decoder = msgspec.json.Decoder(_Closing)


class Closed(NamedTuple):
    """The workdays of a regency that are closed: every date from the first to the last."""

    first: date
    last: date


NOTHING_CLOSED: Mapping[str, Closed] = MappingProxyType({})


class ClosingOutOfOrderError(CannotRunError):
    """Another publisher closed workdays of the regency meanwhile; nothing was written."""


async def closed_of(facts: Facts, codes: Collection[str]) -> dict[str, Closed]:
    """Say what is closed of regencies; those of which nothing is are left out."""
    return _spans(await facts.first_and_last(_TYPE, codes))


async def refuse_gaps(tx: FactsTransaction, envelopes: Sequence[Envelope]) -> None:
    """Compare closings with the last one of their regency, which this transaction has locked.

    Errors: ClosingOutOfOrderError for one that neither follows it nor is known.
    """
    closings = [each for each in envelopes if each.type == _TYPE]
    if not closings:
        return
    spans = _spans(await tx.first_and_last(_TYPE, {each.regency for each in closings}))
    for each in closings:
        on = each.data.on
        span = spans.get(each.regency, Closed(on, on - NEXT))
        if on == span.last + NEXT:
            spans[each.regency] = Closed(span.first, on)
        elif not span.first <= on <= span.last:
            raise ClosingOutOfOrderError(
                f"the closing of {on} in {each.regency} does not follow that of {span.last}:"
                " somebody else published meanwhile. Give the command again, it goes on from there"
            )


def _spans(found: dict[str, tuple[bytes, bytes]]) -> dict[str, Closed]:
    return {code: Closed(_on(first), _on(last)) for code, (first, last) in found.items()}


def _on(value: bytes) -> date:
    return _decoder.decode(value).data.on
