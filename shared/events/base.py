"""What all models on the wire have in common. Names are stored: never changed."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A value on the wire: frozen; readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Fact(Wire):
    """A record on the log: a fact from outside, or an event that a service publishes.

    `SERVICE` publishes it on `TOPIC`; `BROADCAST` facts go to every partition (design 2).
    """

    SERVICE: ClassVar[str]
    TOPIC: ClassVar[str]
    VERSION: ClassVar[int] = 1
    BROADCAST: ClassVar[bool] = False
    NUMBERED: ClassVar[bool] = True  # Its envelopes carry `subjectseq`; facts carry none.
    NAMED: ClassVar[bool] = False  # Its id is made of a number that people type: mistakes happen.
    TOLD: ClassVar[bool] = True  # False: derived, so a rebuild concludes it again from the facts.

    @classmethod
    def type_name(cls) -> str:
        """Give the CloudEvents `type`."""
        return f"tertib.{cls.SERVICE}.{cls.__name__}.v{cls.VERSION}"


class ContradictionError(ValueError):
    """Two facts on the log that cannot both be true; the message names both."""


class UnknownFoldVersionError(Exception):
    """The log adopted a version of the fold that this code cannot do: the partition stops."""

    def __init__(self, version: int, known: Sequence[int]) -> None:
        self.version = version
        can = " and ".join(map(str, known))
        super().__init__(
            f"version {version} of the fold was adopted, and this code can do {can}: start the"
            " one that can"
        )


class OutOfReach(Exception):  # noqa: N818  (a signal, not an error)
    """A fold needs older rows than its state holds; the state is unchanged."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event that a fold concludes; the runner adds id, subjectseq, times and causes."""

    kind: type[Fact]
    data: Fact  # The struct of `kind` (`shared.events.structs.maker_of`), to mypy the model.
    regency: str


class Sealed(Wire):
    """A personal value as it stands on the log: ciphertext under the key `kid` (design 3)."""

    kid: str
    ct: str  # Base64 of AES-SIV's output.
