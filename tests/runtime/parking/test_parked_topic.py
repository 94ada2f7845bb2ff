"""What a projection could not apply, as records of its parked topic."""

import asyncio

from confluent_kafka import Producer

from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.records import Record
from tests.kit.flow import PARTITIONS
from tests.kit.toy_facts import check_in, registered
from tests.runtime.rebuild.test_rebuild import running


async def told(bootstrap: str, topic: str, count: int) -> list[Record]:
    """Wait until so many records stand on a topic, and give them."""
    reading, places = PartitionReader(bootstrap), [(topic, number) for number in range(PARTITIONS)]
    try:
        async with asyncio.timeout(60):
            while True:
                ends = [await asyncio.to_thread(reading.ends, place) for place in places]
                if sum(end for _, end in ends) >= count:
                    break
                await asyncio.sleep(0.1)
        return [
            record
            for place, (begin, end) in zip(places, ends, strict=True)
            for record in await asyncio.to_thread(list, reading.all(place, begin, end))
        ]
    finally:
        reading.close()


async def test_a_parked_record_is_told_with_its_bytes_and_where_it_stood(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    """Design 4: the original bytes are the value, the rest stands in headers."""
    async with running(bootstrap, database, topic_prefix) as service:
        service.say(registered(1), check_in("p0", 0, 1))
        bad = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2"})
        topic = f"{topic_prefix}facts"
        headers = [("ce_type", b"tertib.attendance.CheckInRecorded.v1"), ("odd", None)]
        bad.produce(topic, b"\xff{", b"p0", headers=headers)
        assert bad.flush(30) == 0
        service.say(check_in("p0", 1, 2))

        first, second = await told(bootstrap, f"{topic_prefix}sums.parked.v1", 2)

    said = dict(first.headers)
    assert (first.key, first.value) == (b"p0", b"\xff{")
    assert said["ce_type"] == b"tertib.runtime.RecordParked.v1"
    assert said["ce_id"] == b"/".join(
        (said["parked_topic"], said["parked_partition"], said["parked_offset"])
    )
    assert said["parked_topic"] == topic.encode()
    assert said["parked_reason"] == b"decode"
    assert said["parked_broadcast"] == b"1"
    assert said["original_ce_type"] == b"tertib.attendance.CheckInRecorded.v1"
    assert said["original_odd"] == b""
    assert dict(second.headers)["parked_reason"] == b"queued"
