"""The pages of `docs/reference` lead: what cites them finds it there, and no text moves unseen."""

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
REFERENCE = PROJECT / "docs/reference"
PAGES = ("design.md", "semantics.md", "kafka.md")

ROOTS = ("services", "shared", "tests", "tools", "benchmarks", "docs", "deploy")
# Words that stand where a statement could, and are none. Each must still be there.
OTHER_MEANINGS: dict[str, tuple[frozenset[str], str]] = {
    "pyproject.toml": (frozenset({"D10"}), "rules of ruff"),
    "tests/discipline/test_acceptance_vectors.py": (
        frozenset({"C1", "E1", "E2", "E3", "E4", "E5"}),
        "ids of acceptance vectors: tests/architecture/test_acceptance_vectors.py",
    ),
    "tests/attendance/domain/test_acceptance_vectors.py": (
        frozenset({"C1", "C2", "C3", "C4", "C5", "C6"}),
        "ids of acceptance vectors: tests/architecture/test_acceptance_vectors.py",
    ),
    "tests/attendance/backfill/test_plan_facts.py": (frozenset({"D1"}), "a machine's serial"),
    "tests/cases/68-outage-then-nothing/README.md": (frozenset({"D2"}), "a machine's serial"),
    "tests/cases/77-late-and-broken-uploads/README.md": (
        frozenset({"D9"}),
        "a machine's serial",
    ),
    "tests/architecture/test_reference.py": (frozenset({"B99"}), "planted, to be found"),
}
# Pages that stand outside the repository: whoever cites one names it before the code.
OUTSIDE = ("edge", "procedure", "audit", "console", "domain", "reliability")

_NUMBERS = r"\d+(?:\.\d+)?(?:(?:, | and | to )\d+(?:\.\d+)?)*"
SECTION = re.compile(rf"\b(design|kafka\.md) ({_NUMBERS})")
CODES = r"[A-Z]\d{1,2}[a-z]?(?:(?:, | and | to )[A-Z]\d{1,2}[a-z]?)*"
ELSEWHERE = re.compile(rf"\b(?:{'|'.join(OUTSIDE)})(?:\.md)? {CODES}")
NAMED = re.compile(rf"\bsemantics ({CODES}|[A-Z]\b)")
STATEMENT = re.compile(r"\b[A-E]\d{1,2}[a-z]?\b")


class Reference(NamedTuple):
    """What a text cites: a page, and a section or statement of it."""

    page: str
    code: str


def sections_of(text: str) -> set[str]:
    """Give the numbered sections of a page, and as `5.4` the numbered points within one."""
    found = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))
    for number, body in re.findall(
        r"^## (\d+)\. (.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    ):
        found |= {
            f"{number}.{point}" for point in re.findall(r"^(\d+)\. \*\*", body, re.MULTILINE)
        }
    return found


def statements_of(text: str) -> set[str]:
    """Give the statements of the semantics, and the letters of its parts."""
    return {
        *re.findall(r"^- \*\*([A-E]\d+[a-z]?)\b", text, re.MULTILINE),
        *re.findall(r"^## ([A-E])\. ", text, re.MULTILINE),
    }


def index() -> set[Reference]:
    """Give everything that may be cited."""
    texts = {page: (REFERENCE / page).read_text() for page in PAGES}
    return {
        *(Reference("semantics", code) for code in statements_of(texts["semantics.md"])),
        *(Reference("design", number) for number in sections_of(texts["design.md"])),
        *(Reference("kafka.md", number) for number in sections_of(texts["kafka.md"])),
    }


def cited_in(prose: str) -> Iterator[Reference]:
    """Find what a text cites."""
    for page, numbers in SECTION.findall(prose):
        yield from (Reference(page, n) for n in re.findall(r"\d+(?:\.\d+)?", numbers))
    here = ELSEWHERE.sub("", prose)
    for codes in NAMED.findall(here):
        yield from (Reference("semantics", c) for c in re.findall(r"[A-Z]\d{0,2}[a-z]?", codes))
    yield from (Reference("semantics", code) for code in STATEMENT.findall(here))


def prose_of(path: Path) -> str:
    """Give what people read in a file: of Python its comments and docstrings."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, DOCUMENTED)]
    return "\n".join([*comments, *(ast.get_docstring(node) or "" for node in nodes)])


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources() -> Iterator[Path]:
    """Give every file that may cite the pages; data of tests is not read."""
    for root in ROOTS:
        for suffix in ("py", "md", "yaml"):
            yield from (PROJECT / root).rglob(f"*.{suffix}")
    yield from PROJECT.glob("*.md")
    yield from (PROJECT / name for name in ("Makefile", "pyproject.toml", "docker-compose.yml"))


def unresolved(paths: Iterable[Path]) -> dict[str, set[Reference]]:
    """Name the references that lead nowhere, by file."""
    known = index()
    found: dict[str, set[Reference]] = {}
    for path in paths:
        name = path.relative_to(PROJECT).as_posix()
        others = OTHER_MEANINGS.get(name, (frozenset[str](), ""))[0]
        lost = {each for each in cited_in(prose_of(path)) if each.code not in others} - known
        if lost:
            found[name] = lost
    return found


def test_the_index_has_what_the_pages_have() -> None:
    known = {each.code for each in index() if each.page == "semantics"}

    assert {"A", "E", "A1", "A17a", "A17c", "B4a", "B18", "C12a", "D7", "E2"} <= known
    assert {"5", "5.4", "8.2", "9"} <= {each.code for each in index() if each.page == "design"}
    assert {"4", "14.1", "15"} <= {each.code for each in index() if each.page == "kafka.md"}


def test_every_code_leads_to_a_statement() -> None:
    assert unresolved(sources()) == {}


def test_a_word_with_another_meaning_is_still_there() -> None:
    """An exception that nothing needs any more is struck out."""
    for name, (codes, _) in OTHER_MEANINGS.items():
        assert codes <= {each.code for each in cited_in(prose_of(PROJECT / name))}, name


def test_a_code_that_leads_nowhere_is_found() -> None:
    """The proof that the tests above can fail, here with (B99)."""
    text = "see (B99), design 12, 5.4 and 5.9; kafka.md 16; semantics F1; edge C40, semantics B"
    lost = {each for each in cited_in(text) if each not in index()}

    assert {f"{page} {code}" for page, code in lost} == {
        "semantics B99", "design 12", "design 5.9", "kafka.md 16", "semantics F1",
    }  # fmt: skip
    assert "B99" in prose_of(Path(__file__))


def body_of(text: str) -> str:
    """Give a page without its title and the note at its top."""
    _, _, below = text.partition("\n\n> ")
    return below.partition("\n\n")[2]


def test_a_page_changes_only_by_a_decision() -> None:
    """The last version in the list is today's text, and each after the first names its record."""
    listed = re.findall(
        r"^\| (\S+\.md) \| ([0-9a-f]{64}) \| (.+) \|$",
        (REFERENCE / "README.md").read_text(),
        re.MULTILINE,
    )
    today = {
        page: hashlib.sha256(body_of((REFERENCE / page).read_text()).encode()).hexdigest()
        for page in PAGES
    }

    assert {page: digest for page, digest, _ in listed} == today
    for page in PAGES:
        first, *later = [why for listed_page, _, why in listed if listed_page == page]
        assert first == "as taken over"
        for why in later:
            (record,) = re.findall(r"\]\((\.\./decisions/\d{4}-[^)]+)\)", why)
            assert page in (REFERENCE / record).resolve().read_text()
