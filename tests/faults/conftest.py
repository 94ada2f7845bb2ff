"""A stage on the session's servers, and an undisturbed run to compare with."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from tests.faults.stage import LIMITS, Left, Stage
from tests.kit.servers import Servers
from tests.kit.toy import Toy

Calm = Callable[[Stage], Awaitable[Left]]


@pytest.fixture
def stage(bootstrap: str, database: str, topic_prefix: str, tmp_path: Path) -> Iterator[Stage]:
    """Give a stage with its topic; end its members afterwards."""
    set_up = Stage(bootstrap, database, f"{topic_prefix}facts", tmp_path)
    set_up.make_topic()
    yield set_up
    set_up.end_all()


@pytest.fixture
def calm(servers: Servers, database: str) -> Iterator[Calm]:
    """Give a run over a stage's log in which nothing goes wrong, and what it leaves behind."""
    name = f"{database.rpartition('/')[2].partition('?')[0]}_calm"
    url = servers.create_database(name)

    async def run(stage: Stage) -> Left:
        return await undisturbed(stage, url)

    yield run
    servers.drop_database(name)


async def undisturbed(stage: Stage, database: str) -> Left:
    """Fold a stage's log from its beginning with one member that nobody disturbs."""
    quiet = replace(stage, database=database, name="toy.calm", members=[])
    topic, limits = stage.topic, Limits(**{**LIMITS, **stage.limits})
    runner = Runner(Toy(topic, quiet.name), stage.bootstrap, database, limits)
    await runner.start()
    try:
        await quiet.settled()
    finally:
        await runner.stop()
    return await quiet.left()
