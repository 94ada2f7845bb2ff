"""From a decision to the day it takes effect: limits of delivery, sending, the fifteenth day.

The clock of a sanction runs from receipt, never from the decision or from the call to come.
"""

from datetime import date
from typing import Literal, NamedTuple

from services.discipline.domain.periods import Due, Ground, due


class DeliveryLimits(NamedTuple):
    """The last days on which a decision is delivered without warning, and without breach."""

    warning_after: Due
    breach_after: Due

    def judge(self, delivered_on: date) -> Literal["in_time", "warning", "breach"]:
        """Say what a delivery on that day is."""
        if delivered_on > self.breach_after.on:
            return "breach"
        return "warning" if delivered_on > self.warning_after.on else "in_time"


def delivery_limits(decided_on: date, ground: Ground) -> DeliveryLimits:
    """Give both limits, counted from the decision.

    "14 days" is read as calendar days by the transcription of the PP and as working days by BKN:
    past the first is a warning, past the second a breach. Errors: RuleMissingError.
    Source: PP 94/2021 Pasal 37(3) (verified; the readings: secondary).
    """
    return DeliveryLimits(
        warning_after=due("delivery.limit.warning", decided_on, ground),
        breach_after=due("delivery.limit.breach", decided_on, ground),
    )


def sending_until(called_on: date, ground: Ground) -> Due:
    """Give the last day to send the decision to a person who did not come to receive it.

    Errors: RuleMissingError. Source: Peraturan BKN 6/2022 Pasal 49(8) (secondary).
    """
    return due("delivery.sending", called_on, ground)


def receipt_on(called_on: date, *, came: bool, arrived_on: date | None) -> date | None:
    """Say from which day the clock runs: the call if the person came, else the letter's arrival.

    None: nothing has been received, and no clock runs. Errors: ValueError if the letter would
    have arrived before the call. Source: Peraturan BKN 6/2022 annex ex. 22 (verified).
    """
    if came:
        return called_on
    if arrived_on is not None and arrived_on < called_on:
        raise ValueError(f"received on {arrived_on}, before the call of {called_on}")
    return arrived_on


def in_force_on(received_on: date, ground: Ground) -> Due:
    """Give the day on which an uncontested sanction takes effect; the day after receipt is 1.

    Errors: RuleMissingError. Source: Peraturan BKN 6/2022 Pasal 50(1) (secondary), annex ex. 22
    case 1 (recomputed).
    """
    return due("in_force.basis", received_on, ground)
