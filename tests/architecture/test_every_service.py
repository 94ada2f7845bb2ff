"""Whoever adds a service is told here what is missing: each folder is found by itself."""

import ast
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from shared.events.catalogue import KINDS
from shared.runtime.hosting.service import Service

PROJECT = Path(__file__).resolve().parents[2]
NAMES = sorted(
    path.name for path in (PROJECT / "services").iterdir() if (path / "main.py").exists()
)
every_service = pytest.mark.parametrize("name", NAMES)


def built(name: str) -> Service:
    """Build a service as its process does."""
    service: Service = import_module(f"services.{name}.main").build()
    return service


def test_every_folder_is_a_service() -> None:
    folders = {p.name for p in (PROJECT / "services").iterdir() if p.is_dir()} - {"__pycache__"}

    assert folders == set(NAMES) >= {"attendance", "discipline", "notifications"}


@every_service
def test_it_says_in_a_sentence_what_it_owns(name: str) -> None:
    source = (PROJECT / "services" / name / "__init__.py").read_text()
    sentence = ast.get_docstring(ast.parse(source))

    assert sentence is not None
    assert sentence.endswith(".")
    assert len(ast.parse(source).body) == 1, "a sentence, and no re-exports"


@every_service
def test_it_has_a_page(name: str) -> None:
    page = (PROJECT / "services" / name / "README.md").read_text()

    assert page.startswith("# ")
    assert len(page.splitlines()) <= 120, "one page"


@every_service
def test_it_has_tests_and_an_extra(name: str) -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    assert [*(PROJECT / "tests" / name).rglob("test_*.py")]
    assert name in extras["optional-dependencies"]


@every_service
def test_it_is_found_by_name(name: str) -> None:
    points = {point.name: point.value for point in entry_points(group="tertib.services")}

    assert points.get(name) == f"services.{name}.main:launch"


@every_service
def test_its_groups_and_topics_are_its_own(name: str) -> None:
    """A projection is `<service>.<what>`, so that groups, table sets and parked topics are."""
    service = built(name)
    projections = [make() for make in service.projections]

    assert service.name == name
    assert projections, "a service hears something"
    for projection in projections:
        assert projection.name.startswith(f"{name}.")
        assert projection.service == name
        assert f"{projection.name}.parked.v1" in service.topics()
    assert {kind.TOPIC for kind in KINDS if name == kind.SERVICE} <= set(service.topics())


@every_service
def test_its_tables_begin_with_the_subject(name: str) -> None:
    """States are read and guarded by subject, in bytewise order on every machine."""
    for make in built(name).projections:
        for table in make().tables:
            first = next(iter(table.primary_key.columns))
            assert first.name == "subject", table.name
            assert getattr(first.type, "collation", None) == "C", table.name


@every_service
def test_it_writes_only_topics_of_its_own(name: str) -> None:
    for kind in KINDS:
        if name == kind.SERVICE:
            assert kind.TOPIC.startswith(f"{name}."), kind.type_name()
            assert kind.type_name().startswith(f"tertib.{name}."), kind.type_name()
