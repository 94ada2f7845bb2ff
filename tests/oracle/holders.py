"""Who holds a PIN (A9): the one rule that reading and assessing share."""

from datetime import date

from tests.oracle.model import Pin


def pin_holder(pins: list[Pin], day: date) -> str | None:
    """Say who holds a PIN: the last begun row decides, even if it has ended (A9)."""
    begun = [one for one in pins if one.valid_from <= day]
    latest = max((one.valid_from for one in begun), default=None)
    decides = next((one for one in reversed(begun) if one.valid_from == latest), None)
    if decides is None or (decides.valid_to is not None and decides.valid_to < day):
        return None
    return decides.employee
