"""Each acceptance vector of the domain reference has a test that is named by its id.

The reference itself is not part of the repository: its ids stand here. The items that it lists as
known to be bad have no id, and no test.
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
VECTORS = (
    *(f"L{n}" for n in range(9)),
    *(f"C{n}" for n in range(1, 7)),
    *(f"E{n}" for n in range(1, 6)),
    *(f"P{n}" for n in range(1, 7)),
    *("M1", "M2", "V1", "T1", "H1", "N1"),
)
NAMED = re.compile(r"test_([a-z])(\d)(?:_to_\1(\d))?_")


def vectors_of(name: str) -> list[str]:
    """Read the ids in a name: `test_e1_…` has one, `test_l1_to_l8_…` has eight."""
    named = NAMED.match(name)
    if named is None:
        return []
    letter, first, last = named[1].upper(), int(named[2]), int(named[3] or named[2])
    return [f"{letter}{number}" for number in range(first, last + 1)]


def sentences() -> dict[str, str]:
    """Give the tests of all files of acceptance vectors, with their docstrings."""
    return {
        node.name: ast.get_docstring(node) or ""
        for path in TESTS.glob("**/test_acceptance_vectors.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if path.parent.name != "architecture"
    }


def test_every_vector_has_a_test_and_every_test_a_vector() -> None:
    named = {name: vectors_of(name) for name in sentences()}

    assert [name for name, ids in named.items() if not ids] == []
    assert {each for ids in named.values() for each in ids} == set(VECTORS)


def test_every_test_of_a_vector_says_its_id_first() -> None:
    """And after it the source, which is for people to check."""
    wrong = [name for name, text in sentences().items() if not says(vectors_of(name), text)]

    assert wrong == []


def says(ids: list[str], text: str) -> bool:
    opening = ids[0] if len(ids) == 1 else f"{ids[0]}-{ids[-1]}"
    return text.startswith(f"{opening}: ")
