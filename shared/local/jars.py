"""Apache Kafka's own jars: fetched from Maven Central once, cached, and checked at every start.

`jars.sha256` beside this file is the list: a SHA-256 sum and a Maven coordinate on each line. The
list decides what is fetched, so nothing is resolved at run time. `python -m shared.local.jars`
resolves Kafka's dependencies again and prints the list, for a change of version.
"""

import hashlib
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs

from shared.local.errors import StackError
from shared.local.locks import locked

KAFKA_VERSION = "4.2.0"
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
PINNED = Path(__file__).with_name("jars.sha256")
TRIES = 4
FETCHERS = 8
UNFINISHED = "fetch-"

Fetcher = Callable[[Sequence[str], Path], None]


def cache_folder() -> Path:
    """Name the folder of everything fetched: TERTIB_CACHE, or the user's cache folder."""
    chosen = os.environ.get("TERTIB_CACHE")
    return (
        Path(chosen).expanduser().resolve() if chosen else platformdirs.user_cache_path("tertib")
    )


def pinned(listing: Path = PINNED) -> dict[str, str]:
    """Read the list: Maven coordinate (`group:artifact:version`) to SHA-256 in hexadecimal."""
    lines = (line.split() for line in listing.read_text().splitlines() if line.strip())
    return {coordinate: digest for digest, coordinate in lines}


def class_path(say: Callable[[str], None] = lambda _: None) -> str:
    """Give the class path of Kafka's jars, fetching them first where they are missing.

    Errors: StackError if a jar cannot be fetched or differs from the pinned sum.
    """
    folder = ensured(pinned(), cache_folder(), fetch, say)
    return os.pathsep.join(str(folder / file_name(one)) for one in pinned())


def ensured(
    sums: Mapping[str, str], cache: Path, fetcher: Fetcher, say: Callable[[str], None]
) -> Path:
    """Give the cache's folder with exactly these jars, checked; fetch them if it is missing.

    The folder appears by one rename when it is complete, under a lock: two processes that
    fetch at the same time get one folder, and a fetch that was killed leaves none.
    """
    folder = cache / f"kafka-{KAFKA_VERSION}-{digest_of_list(sums)}"
    if folder.is_dir():
        verify(folder, sums)
        return folder
    with locked(cache / "lock"):
        if folder.is_dir():
            verify(folder, sums)
            return folder
        for abandoned in cache.glob(f"{UNFINISHED}*"):
            shutil.rmtree(abandoned)
        say(f"fetching Apache Kafka {KAFKA_VERSION} from Maven Central ({len(sums)} jars)")
        with tempfile.TemporaryDirectory(dir=cache, prefix=UNFINISHED) as started:
            jars = Path(started) / "jars"
            jars.mkdir()
            fetcher(list(sums), jars)
            verify(jars, sums)
            jars.rename(folder)
    return folder


def verify(folder: Path, sums: Mapping[str, str]) -> None:
    """Compare every jar of a folder with its pinned sum.

    Errors: StackError naming the first jar that is missing or differs, and what to do.
    """
    for coordinate, expected in sums.items():
        jar = folder / file_name(coordinate)
        if not jar.is_file():
            message = f"{jar.name} is missing in {folder}: remove that folder and start again"
            raise StackError(message)
        with jar.open("rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
        if found != expected:
            message = (
                f"{jar.name} is not the jar that was pinned: SHA-256 {found}, expected {expected}"
                f" (in {folder}). Nothing was started. Remove that folder and start again; if it"
                " happens again, what is served as this jar has been changed."
            )
            raise StackError(message)


def fetch(coordinates: Sequence[str], folder: Path) -> None:
    """Fetch these jars from Maven Central into a folder, several at a time.

    Errors: StackError if one cannot be had after some tries.
    """
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415 (slow, and seldom needed)
    from jgo.maven import MavenContext  # noqa: PLC0415 (slow, and seldom needed)

    logging.getLogger("jgo").setLevel(logging.ERROR)
    maven = MavenContext(
        repo_cache=folder.parent / "maven", remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=30
    )

    def one(coordinate: str) -> None:
        group, artifact, version = coordinate.split(":")
        for attempt in range(1, TRIES + 1):
            jar = maven.project(group, artifact).at_version(version).artifact()
            try:
                shutil.copyfile(jar.resolve(), folder / file_name(coordinate))
            except Exception as failure:
                # jgo writes into the final file: the rest of a broken fetch must be removed.
                if jar.cached_path is not None:
                    jar.cached_path.unlink(missing_ok=True)
                if attempt == TRIES:
                    message = f"{coordinate} cannot be fetched from Maven Central: {failure}"
                    raise StackError(message) from failure
                time.sleep(attempt)
            else:
                return

    with ThreadPoolExecutor(FETCHERS) as pool:
        list(pool.map(one, coordinates))


def file_name(coordinate: str) -> str:
    """Name the file of a Maven coordinate."""
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def digest_of_list(sums: Mapping[str, str]) -> str:
    """Give a short digest of the list for the folder's name: another list, another folder."""
    text = "\n".join(f"{digest} {coordinate}" for coordinate, digest in sorted(sums.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def resolve_anew() -> str:
    """Resolve Kafka's runtime dependencies, fetch them, and give the text of the list."""
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415 (slow, and seldom needed)
    from jgo.maven import MavenContext  # noqa: PLC0415 (slow, and seldom needed)
    from jgo.parse import Coordinate  # noqa: PLC0415 (slow, and seldom needed)

    with tempfile.TemporaryDirectory() as folder:
        maven = MavenContext(
            repo_cache=Path(folder), remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=30
        )
        roots = [maven.create_dependency(Coordinate.parse(root)) for root in ROOTS]
        inputs, others = maven.resolver.resolve(roots)
        wanted = [*inputs, *(one for one in others if one.scope in {"compile", "runtime"})]
        lines = []
        for one in wanted:
            digest = hashlib.sha256(one.artifact.resolve().read_bytes()).hexdigest()
            lines.append(f"{digest}  {one.groupId}:{one.artifactId}:{one.version}")
    return "\n".join(sorted(lines, key=lambda line: line.split()[1])) + "\n"


if __name__ == "__main__":
    sys.stdout.write(resolve_anew())
