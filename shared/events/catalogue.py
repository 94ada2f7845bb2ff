"""Every fact and event there is, by its CloudEvents type.

A kind is registered by being defined in a module of a publisher: nothing is listed twice.
"""

from types import ModuleType

from shared.events import attendance, discipline, notifications
from shared.events.base import Fact


def kinds_in(module: ModuleType) -> list[type[Fact]]:
    """Give the kinds that a module defines, in its order: its classes that no other extends."""
    defined = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind.__module__ == module.__name__
    ]
    bases = {base for kind in defined for base in kind.__mro__[1:]}
    return [kind for kind in defined if kind not in bases]


KINDS: tuple[type[Fact], ...] = tuple(
    kind for module in (attendance, discipline, notifications) for kind in kinds_in(module)
)
BY_TYPE: dict[str, type[Fact]] = {kind.type_name(): kind for kind in KINDS}
