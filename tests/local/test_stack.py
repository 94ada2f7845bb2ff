"""The local stack through kills, restarts and neighbours."""

import subprocess

import pytest

from shared.local import identity, ports
from shared.local.accounts import server_account
from shared.local.errors import StackError
from shared.local.postgres import SERVICES
from shared.local.sql import ask
from shared.local.stack import LocalStack
from tests.local.records import consume, make_topic, produce

pytestmark = pytest.mark.system


def test_a_killed_broker_comes_back_with_its_records(stack: LocalStack, topic_prefix: str) -> None:
    """What was acknowledged before `kill -9` is read afterwards, at the same address."""
    before, topic = stack.kafka_bootstrap, f"{topic_prefix}records"
    make_topic(before, topic)
    produce(before, topic, b"acknowledged")
    first = stack.kafka.pid(1)

    stack.kafka.kill(1)
    assert stack.kafka.pid(1) is None
    assert not ports.accepts(stack.kafka.nodes[0].port)
    assert not stack.status()[0].healthy

    stack.up()
    assert stack.kafka.pid(1) not in {None, first}
    assert stack.kafka_bootstrap == before
    assert consume(before, topic, 1) == [b"acknowledged"]


def test_a_killed_database_comes_back_with_its_rows(stack: LocalStack, database: str) -> None:
    """Postmaster and children die at once; what was committed is there after the restart."""
    ask(database, "CREATE TABLE days AS SELECT 1 AS day")
    first, children = stack.postgres.pid, stack.postgres.children()
    assert children

    stack.postgres.kill()
    assert stack.postgres.pid is None
    assert not any(identity.alive(child) for child in children)

    stack.up()
    assert stack.postgres.pid not in {None, first}
    assert ask(database, "SELECT day FROM days") == [(1,)]


def test_a_lock_file_with_a_recycled_pid_does_not_stop_the_database(stack: LocalStack) -> None:
    """After a crash of the machine the postmaster's pid may be another program's of its user."""
    account = server_account()
    stranger = subprocess.Popen(
        ["sleep", "600"], user=account.uid, group=account.gid, cwd="/", start_new_session=True
    )
    lock = stack.postgres.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    stack.postgres.kill()
    lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    account.give(lock)

    stack.up()

    assert stack.postgres.healthy()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_second_up_changes_nothing(stack: LocalStack) -> None:
    """Not a process is started anew."""
    before = stack.status()

    stack.up()

    assert stack.status() == before
    assert all(server.healthy for server in before)


def test_each_service_enters_its_own_database_only(stack: LocalStack) -> None:
    """A service never reads another's database; the keyring is one that they share by address."""
    addresses = {name: stack.database_url(name) for name in SERVICES}
    owners = {name: ask(url, "SELECT current_user::text") for name, url in addresses.items()}
    foreign = stack.postgres.url("discipline", role="attendance")

    assert owners == {name: [(name,)] for name in SERVICES}
    with pytest.raises(StackError, match="permission denied"):
        ask(foreign, "SELECT 1")


def test_commits_are_durable(stack: LocalStack) -> None:
    """No test of a kill means anything on a server that only pretends to write."""
    settings = {
        name: ask(stack.postgres.admin_url, f"SHOW {name}")[0][0]
        for name in ("fsync", "synchronous_commit", "full_page_writes")
    }

    assert set(settings.values()) == {"on"}


def test_two_stacks_know_nothing_of_each_other(stack: LocalStack, topic_prefix: str) -> None:
    """Each has ports and data of its own; the end of one is not felt by the other."""
    topic = f"{topic_prefix}records"
    make_topic(stack.kafka_bootstrap, topic)
    produce(stack.kafka_bootstrap, topic, b"here")

    with LocalStack.scoped() as other:
        make_topic(other.kafka_bootstrap, topic)
        produce(other.kafka_bootstrap, topic, b"there")
        found = consume(other.kafka_bootstrap, topic, 1)
        theirs, folder = {one.port for one in other.status()}, other.home

    assert found == [b"there"]
    assert not theirs & {one.port for one in stack.status()}
    assert not folder.exists()
    assert consume(stack.kafka_bootstrap, topic, 1) == [b"here"]
    assert all(server.healthy for server in stack.status())


def test_three_nodes_go_on_without_one(topic_prefix: str) -> None:
    """With three copies and two in sync, a killed node loses nothing and comes back."""
    topic = f"{topic_prefix}records"
    with LocalStack.scoped(nodes=3) as three:
        make_topic(three.kafka_bootstrap, topic, copies=3)
        produce(three.kafka_bootstrap, topic, b"three")
        three.kafka.kill(2)
        produce(three.kafka_bootstrap, topic, b"two")
        assert [server.healthy for server in three.status()] == [True, False, True, True]

        three.up()

        assert all(server.healthy for server in three.status())
        assert consume(three.kafka_bootstrap, topic, 2) == [b"three", b"two"]
        with pytest.raises(StackError, match="made with 3 node"):
            LocalStack(three.home, nodes=1).up()


def test_what_nobody_wrote_down_is_ended_by_the_next_up(stack: LocalStack) -> None:
    """An `up` that was killed between a start and its entry in the books leaves a stray."""
    stray = identity.spawn(
        ["sleep", "600"],
        home=stack.home,
        log=stack.home / "stray.log",
        env=identity.plain_environment(),
    )
    before = stack.status()

    stack.up()

    assert not identity.alive(stray)
    assert stack.status() == before
