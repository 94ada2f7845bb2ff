"""What is written is true: links lead somewhere, commands exist, marked blocks run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer import Context
from typer.main import get_group

from shared.runtime.cli import main

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("s*/*/README.md")]
)
DECISIONS = sorted(PROJECT.glob("docs/decisions/*.md"))

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix()
)

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)")
CODE = re.compile(r"`([^`\n]+)`")
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


# Promised by design 8.2 and not there yet. The list may only shrink.
OWED: set[str] = {"audit"}


def commands() -> set[str]:
    """Name the commands that `tertib` has."""
    group = get_group(main.app)
    return set(group.list_commands(Context(group)))


def commands_in(text: str) -> Iterator[list[str]]:
    """Find what a reader would type: in code spans, and line by line in blocks."""
    said = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    for line in [*said, *CODE.findall(BLOCK.sub("", text))]:
        words = line.removeprefix("$ ").removeprefix(".venv/bin/").split()
        if words[:1] in (["tertib"], ["make"]) and len(words) > 1:
            yield words


def unknown_commands(text: str) -> list[str]:
    """Name the commands in a text that do not exist; `a|b` are two."""
    known = {"tertib": commands() | OWED, "make": TARGETS}
    return [
        f"{program} {word}"
        for program, words, *_ in commands_in(text)
        for word in words.split("|")
        if re.fullmatch(r"[a-z]+", word) and word not in known[program]
    ]


def broken_links(page: Path, text: str) -> list[str]:
    """Name the relative links of a page that lead nowhere."""
    links = [link for link in LINK.findall(text) if "://" not in link]
    return [link for link in links if not (page.parent / link).exists()]


def run(block: str, *, console: bool) -> str:
    """Run a block as its reader would; give what it prints beyond what the page says it does."""
    if not console:
        return _said([sys.executable, "-c", block])
    wanted = [line for line in block.splitlines() if not line.startswith("$ ")]
    typed = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    said = "".join(_said(["bash", "-euo", "pipefail", "-c", line]) for line in typed)
    return "" if said.splitlines() == wanted else said or "nothing was printed"


def _said(command: list[str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text()) == []


def test_the_glossary_says_where_each_word_of_the_machinery_lives() -> None:
    """A package or file that is moved takes its words with it."""
    _, _, machinery = (PROJECT / "docs/glossary.md").read_text().partition("## The machinery")
    places = re.findall(r"^\| .* \| ([^|]+) \|$", machinery, re.MULTILINE)[1:]
    named = {name for place in places for name in re.findall(r"(?<!table )`([^`]+)`", place)}

    roots = (PROJECT, PROJECT / "shared/runtime")
    assert len(places) > 40
    assert [each for each in named if not any((root / each).exists() for root in roots)] == []


@pytest.mark.parametrize(
    "page", sorted(PROJECT.glob("docs/architecture/*.md")), ids=lambda page: page.stem
)
def test_a_page_of_the_machinery_names_modules_that_exist(page: Path) -> None:
    roots = (PROJECT / "shared", PROJECT / "tests")
    modules = {path.name for root in roots for path in root.rglob("*.py")}
    named = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+\.py)`", page.read_text())}

    assert named - modules == set()


@every_page
def test_commands_exist(page: Path) -> None:
    assert unknown_commands(page.read_text()) == []


@every_page
def test_marked_blocks_run(page: Path) -> None:
    """```python and ```console are promises; a block that only shows something has no mark."""
    for mark, block in BLOCK.findall(page.read_text()):
        if mark in ("python", "console"):
            assert run(block, console=mark == "console") == ""


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.stem)
def test_a_decision_says_what_would_reopen_it(record: Path) -> None:
    text = record.read_text()

    assert re.match(r"# \S", text)
    assert re.search(r"^## Revisit when\n+\S", text, re.MULTILINE)


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(record.name[:4]) for record in DECISIONS]

    assert numbers == [*range(1, len(numbers) + 1)]


def test_no_page_and_no_code_cites_an_issue() -> None:
    """A reader of the repository cannot follow one: cite a statement instead."""
    files = [
        path
        for root in ("services", "shared", "tools", "tests", "benchmarks", "docs", "deploy")
        for suffix in ("py", "md")
        for path in (PROJECT / root).rglob(f"*.{suffix}")
    ]
    cited = re.compile(r"\bissue \d", re.IGNORECASE)

    assert len(files) > 500
    assert [str(path) for path in files if cited.search(path.read_text())] == []


def test_the_list_of_commands_is_short() -> None:
    assert len(TARGETS) <= 12


def test_what_is_owed_is_still_owed() -> None:
    assert commands().isdisjoint(OWED), "it is there now: strike it from the list"


def test_what_is_not_true_is_noticed(tmp_path: Path) -> None:
    """The proof that the tests above can fail."""
    page = tmp_path / "page.md"
    page.write_text("")
    text = "see [there](nowhere.md), [here](page.md); `tertib fly|status`, `make coffee`\n"

    assert broken_links(page, text) == ["nowhere.md"]
    assert unknown_commands(text) == ["tertib fly", "make coffee"]
    assert run("$ echo yes\nyes\n", console=True) == ""
    assert run("$ echo no\nyes\n", console=True) == "no\n"
    with pytest.raises(AssertionError):
        run("raise SystemExit(1)", console=False)
