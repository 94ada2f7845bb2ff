"""How a member subscribes: every setting of FastStream and aiokafka that is not its default."""

from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.runtime.kafka.codec import PassthroughCodec, parse_batch
from shared.runtime.limits import Limits
from shared.runtime.projection import Projection


def refuse_mixed_topics(projection: Projection[Any, Any]) -> None:
    """Refuse a projection that hears broadcasts and several topics. Errors: ValueError.

    The order between topics is undefined, so it would be undefined which broadcasts a record of
    the second topic is judged by.
    """
    if len(projection.topics) > 1 and any(kind.BROADCAST for kind in projection.hears):
        message = f"{projection.name} hears broadcasts, so it hears one topic only"
        raise ValueError(message)


def broker_of(bootstrap: str) -> KafkaBroker:
    """Give a broker that hands over records as they came."""
    return KafkaBroker(bootstrap, apply_types=False, logger=None, codec=PassthroughCodec())


def subscriber_of(
    broker: KafkaBroker,
    topics: Sequence[str],
    group: str,
    limits: Limits,
    listener: ConsumerRebalanceListener,
) -> Any:
    """Give the batch subscriber of a consumer group; its handler is still to be set."""
    return broker.subscriber(
        *topics,
        group_id=group,
        batch=True,
        ack_policy=AckPolicy.MANUAL,  # The default acknowledges before the work.
        auto_offset_reset="earliest",  # The default skips the past.
        listener=listener,
        max_records=limits.batch,
        batch_timeout_ms=limits.poll_ms,
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=limits.partition_bytes,
        session_timeout_ms=limits.session_ms,
        heartbeat_interval_ms=limits.heartbeat_ms,
        partition_assignment_strategy=(RangePartitionAssignor,),
        parser=parse_batch,
        no_reply=True,
    )
