"""What the service is made of; the only module that knows the others."""

from services.notifications.directory import Directory
from services.notifications.projections import Planner
from shared.runtime.service import Service, launched


def build() -> Service:
    """Give the service."""
    return Service("notifications", [Planner, Directory])


def launch() -> tuple[list[str], int]:
    """Say how the local stack starts it (entry point `tertib.services`)."""
    return launched("notifications")
