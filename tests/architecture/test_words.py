"""Docstrings and comments are understood at first reading: words that were riddles stay out."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_reference import prose_of

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = ("services", "shared", "tools")
# What was written, and what is said instead. The list may only grow.
RIDDLES = {
    r"\bwhoever\b": "name who it is",
    r"\bwoven?\b|\bweav\w+": "merged, inserted",
    r"\banew\b": "again, from offset 0",
    r"\bspoilt\b": "failed",
    r"\bheirs?\b": "successor",
    r"\bin vain\b": "without effect",
    r"\bat hand\b": "in memory",
    r"\bhow manieth\b": "which",
    r"\bof no (?:more )?use\b": "must be replaced",
    r"\bheld against\b|\bhold\w* [^.,;:]{1,40}? against\b": "compared with, checked against",
    r"\bnone of ours\b": "belongs to another",
    r"\b(?:somebody|nobody|anybody)'s\b": "name whose",
    r"\bstrangers?\b": "another program",
    r"\bfor good\b": "for ever, finally",
    r"\btold so\b|\bsaid so\b": "reported",
}


def riddles_in(prose: str) -> list[str]:
    """Name the words of a text that a reader has to guess, and what to say instead."""
    joined = re.sub(r"\s+", " ", prose)
    return [
        f"{found[0]!r}: {instead}"
        for riddle, instead in RIDDLES.items()
        for found in re.finditer(riddle, joined, re.IGNORECASE)
    ]


@pytest.mark.parametrize("root", ROOTS)
def test_prose_has_no_riddles(root: str) -> None:
    found = {
        path.relative_to(PROJECT).as_posix(): riddles
        for path in sorted((PROJECT / root).rglob("*.py"))
        if (riddles := riddles_in(prose_of(path)))
    }

    assert found == {}


def test_a_riddle_is_found() -> None:
    """The proof that the test above can fail."""
    assert riddles_in("Hold a cursor against the log; whoever\nloses reads anew.") == [
        "'whoever': name who it is",
        "'anew': again, from offset 0",
        "'Hold a cursor against': compared with, checked against",
    ]
    assert riddles_in("Compare a cursor with the log; the loser reads again.") == []
