"""What runs as Kafka is exactly what was pinned."""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.local.errors import StackError
from shared.local.jars import KAFKA_VERSION, PINNED, ensured, file_name, pinned, verify
from shared.local.stack import silence

ONE, OTHER = "org.example:one:1.0", "org.example:other:2.0"
SUMS = {name: hashlib.sha256(name.encode()).hexdigest() for name in (ONE, OTHER)}


def write_jars(coordinates: Sequence[str], folder: Path) -> None:
    for name in coordinates:
        (folder / file_name(name)).write_bytes(name.encode())


def write_another_jar(coordinates: Sequence[str], folder: Path) -> None:
    write_jars(coordinates, folder)
    (folder / file_name(OTHER)).write_bytes(b"something else")


def test_jars_that_are_as_pinned_are_taken(tmp_path: Path) -> None:
    """They stand together in one folder of the cache."""
    folder = ensured(SUMS, tmp_path, write_jars, silence)

    assert {jar.name for jar in folder.iterdir()} == {"one-1.0.jar", "other-2.0.jar"}


def test_a_fetched_jar_that_differs_is_refused(tmp_path: Path) -> None:
    """The message names it, and nothing of the fetch is kept."""
    with pytest.raises(StackError, match=r"other-2\.0\.jar is not the jar that was pinned"):
        ensured(SUMS, tmp_path, write_another_jar, silence)

    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_cached_jar_that_was_changed_later_is_refused(tmp_path: Path) -> None:
    """The sums are compared at every start, not only after the fetch."""
    folder = ensured(SUMS, tmp_path, write_jars, silence)
    (folder / file_name(ONE)).write_bytes(b"changed")

    with pytest.raises(StackError, match=r"one-1\.0\.jar is not the jar that was pinned"):
        ensured(SUMS, tmp_path, write_jars, silence)


def test_a_jar_that_is_missing_is_named(tmp_path: Path) -> None:
    """A folder from which something was removed does not start a broker without it."""
    folder = ensured(SUMS, tmp_path, write_jars, silence)
    (folder / file_name(ONE)).unlink()

    with pytest.raises(StackError, match=r"one-1\.0\.jar is missing"):
        verify(folder, SUMS)


def test_two_that_fetch_at_once_fetch_once(tmp_path: Path) -> None:
    """The second waits for the first, and takes what it fetched."""
    fetches: list[str] = []
    both_asked = threading.Barrier(2)

    def fetch(coordinates: Sequence[str], folder: Path) -> None:
        fetches.append(folder.name)
        write_jars(coordinates, folder)

    def ask(_: int) -> Path:
        both_asked.wait(timeout=10)
        return ensured(SUMS, tmp_path, fetch, silence)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, range(2))

    assert first == second
    assert len(fetches) == 1


def test_what_a_killed_fetch_left_is_removed(tmp_path: Path) -> None:
    """An unfinished folder neither counts nor stays."""
    (tmp_path / "fetch-abandoned").mkdir()

    folder = ensured(SUMS, tmp_path, write_jars, silence)

    assert {path.name for path in tmp_path.iterdir()} == {"lock", folder.name}


def test_the_list_pins_this_kafka_and_names_no_address() -> None:
    """46 jars, each with a sum of 64 hexadecimal digits; no registry is written down."""
    sums = pinned()

    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}" in sums
    assert len(sums) == 46
    assert all(len(digest) == 64 and int(digest, 16) for digest in sums.values())
    assert "://" not in PINNED.read_text()
