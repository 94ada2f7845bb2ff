"""What the service is made of; the only module that knows the others."""

from services.attendance.facts.adopting import FoldAdoption
from services.attendance.projection.assessor import Assessor
from shared.events.attendance import FACTS
from shared.runtime.hosting.service import Service, launched


def build() -> Service:
    """Give the service."""
    return Service("attendance", [Assessor], facts=FACTS, adoption=FoldAdoption())


def launch() -> tuple[list[str], int]:
    """Say how the local stack starts it (entry point `tertib.services`)."""
    return launched("attendance")
