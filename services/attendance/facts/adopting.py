"""Adopting a version of the assessor's fold: tried on everybody, shown, and put on the log."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.attendance.domain.fold_version import EVERY_REGENCY, SERVICE
from services.attendance.domain.person import Day, Person, Said
from services.attendance.domain.reference_data import Knowledge
from services.attendance.facts.envelopes import SOURCE
from services.attendance.facts.publisher import refuse_wrong_clock
from shared.events.attendance import FACTS, FoldAdopted, WorkdayAssessed
from shared.events.base import NewEvent, Sealed
from shared.events.envelope import Envelope, fact_id
from shared.events.sealing import KeySealer, regency_kid
from shared.events.structs import as_struct
from shared.runtime.adoption import Change
from shared.runtime.broadcast.bulk import bulk_publisher
from shared.runtime.broadcast.waiting import Waits
from shared.runtime.kafka import admin
from shared.runtime.privacy.keyring import PostgresKeyring
from shared.runtime.settings import Settings

_KIND = FoldAdopted.type_name()


class FoldAdoption:
    """What the assessor brings to `tertib rebuild attendance --adopt`."""

    def version_of(self, knowledge: Knowledge) -> int:
        """Give the version by which is folded as of some knowledge."""
        return knowledge.fold_version

    def tried(self, version: int, broadcastseq: int) -> Envelope:
        """Give the fact as it would be heard now, with no reason yet."""
        return _fact(version, None, None, broadcastseq)

    def changes(self, state: Person, fold: Callable[[], Sequence[NewEvent]]) -> Sequence[Change]:
        """Let a person be folded, and say which days and thresholds would read otherwise."""
        days, active = dict(state.days), [said for said in state.thresholds if said.active]
        return list(_changes(state.id, days, {said.seq: said for said in active}, fold()))

    async def publish(
        self, settings: Settings, version: int, reason: str, actor: str, waits: Waits
    ) -> None:
        """Publish the fact, its reason sealed under the key of all regencies.

        `waits` hears for whom or what it waits. Errors: CannotRunError for a wrong clock; those of
        the keyring, the brokers and the database.
        """
        url = settings.database_url(SERVICE)
        await refuse_wrong_clock(url)
        await admin.ensure(settings.bootstrap, [FACTS], settings.replication)
        kid = regency_kid(EVERY_REGENCY)
        async with await PostgresKeyring.open(settings.keyring_url()) as keyring:
            sealer = KeySealer(await keyring.keys_of([kid], create=True))
        sealed = sealer.seal(kid, _KIND, EVERY_REGENCY, reason)
        names = url, settings.bootstrap, FACTS, "tertib rebuild"
        async with bulk_publisher(*names, waits=waits) as publisher:
            await publisher.broadcast([_fact(version, sealed, actor)])


def _fact(
    version: int, reason: Sealed | None, actor: str | None, broadcastseq: int | None = None
) -> Envelope:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Envelope(
        actor=actor,
        broadcastseq=broadcastseq,
        data=as_struct(FoldAdopted(service=SERVICE, version=version, reason=reason)),
        id=fact_id("FoldAdopted", EVERY_REGENCY, SERVICE, version, now),
        recordedtime=now,
        regency=EVERY_REGENCY,
        source=SOURCE,
        subject=EVERY_REGENCY,
        time=now,
        type=_KIND,
    )


def _changes(
    subject: str, days: dict[int, Day], active: dict[int, Said], told: Sequence[NewEvent]
) -> Iterator[Change]:
    for each in told:
        said: Any = each.data
        if each.kind is WorkdayAssessed:
            before = days.get(said.on.toordinal())
            now = "-" if before is None else _read(before.status, before.late, before.early)
            then = _read(said.status, said.late_minutes, said.early_minutes)
            yield Change("day", subject, said.on.isoformat(), now, then)
            continue
        tier = f"{said.measure}, {said.threshold_days} days"
        last = max(getattr(said, "dates", ()), default=date(said.year, 12, 31))
        if hasattr(said, "tier"):
            yield Change(
                "threshold", subject, last.isoformat(), "-", f"{tier}: {said.tier.sanction}"
            )
        else:
            yield Change("threshold", subject, str(said.year), tier, "retracted")


def _read(status: str, late: int, early: int) -> str:
    minutes = [f"{late} min late"] * bool(late) + [f"{early} min early"] * bool(early)
    return ", ".join([status, *minutes])
