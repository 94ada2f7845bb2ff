"""The relay of the facts: that of the outbox, which first compares the topic with the table."""

from shared.runtime.broadcast.guard import TopicGuard
from shared.runtime.kafka.producer import ProducerConfig
from shared.runtime.outbox.relay import Relay
from shared.runtime.storage.schema import FACTS


def facts_relay(
    url: str, bootstrap: str, who: str, topic: str, settings: ProducerConfig | None = None
) -> Relay:
    """Give a relay that stands ready to lead. `who`: the service or the command it belongs to."""
    guard = TopicGuard(bootstrap, topic)
    return Relay(url, bootstrap, who, settings, outbox=FACTS, guard=guard)
