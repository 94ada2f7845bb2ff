"""Where partitions begin and end, asked of their leaders, all in one request."""

import time
from collections.abc import Iterable

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec

from shared.runtime.positions import TopicPartition

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.05

# A topic just made, or a broker just started: leaders are there a moment later. Of a topic that is
# not there librdkafka says the same.
LEADERLESS = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  (its name)
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  (its name)
        KafkaError._NOENT,  # noqa: SLF001  (its name: no leader was found)
    }
)


class NoSuchTopicError(LookupError):
    """The brokers know of no such topic."""


def ends_of(admin: AdminClient, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Give the end offset of each partition, as soon as each has a leader that answers.

    Blocks. A topic that is not there is waited for as well. Errors: confluent_kafka.KafkaException
    for what does not pass by itself within half a minute.
    """
    return _asked(admin, places, OffsetSpec.latest())


def bounds_of(admin: AdminClient, place: TopicPartition) -> tuple[int, int]:
    """Give the first offset of a partition and the one after its last.

    Blocks. Errors: NoSuchTopicError, at once; otherwise as of `ends_of`.
    """
    if (
        place[0] not in admin.list_topics(timeout=TIMEOUT_SECONDS).topics
    ):  # None is made by asking.
        raise NoSuchTopicError(place[0])
    begin = _asked(admin, [place], OffsetSpec.earliest())
    return begin[place], _asked(admin, [place], OffsetSpec.latest())[place]


def _asked(
    admin: AdminClient, places: Iterable[TopicPartition], which: OffsetSpec
) -> dict[TopicPartition, int]:
    wanted = {confluent_kafka.TopicPartition(*place): which for place in places}
    if not wanted:
        return {}
    until = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            answers = admin.list_offsets(wanted, request_timeout=TIMEOUT_SECONDS)
            return {
                (partition.topic, partition.partition): answer.result().offset
                for partition, answer in answers.items()
            }
        except KafkaException as error:
            if error.args[0].code() not in LEADERLESS or time.monotonic() > until:
                raise
        time.sleep(POLL_SECONDS)
