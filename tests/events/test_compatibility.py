"""Published types never change: fields are only ever added, with a default (design 3)."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, create_model
from typer.testing import CliRunner

from shared.events.catalogue import BY_TYPE
from shared.runtime.cli.contracts import app
from shared.runtime.contracts.compatibility import breaks
from shared.runtime.contracts.schemas import ASYNCAPI, PROJECT, SCHEMAS, broken, drifted

TYPE = "tertib.attendance.OutageDeclared.v1"
FIELDS: dict[str, Any] = {
    name: (info.annotation, info) for name, info in BY_TYPE[TYPE].model_fields.items()
}


class Inner(BaseModel):
    pin: str


def field(kind: Any, default: Any = ...) -> dict[str, Any]:
    """Give the schema of a model with one field."""
    return create_model("Model", pin=(kind, default)).model_json_schema()


def changed(**fields: Any) -> type[BaseModel]:
    """Give the outage's model with other fields; None takes one out."""
    wanted = {name: kind for name, kind in (FIELDS | fields).items() if kind is not None}
    return create_model("OutageDeclared", **wanted)


def test_the_models_break_nothing_that_is_committed() -> None:
    assert broken(PROJECT) == []


def test_the_committed_documents_are_what_the_models_give() -> None:
    assert drifted(PROJECT) == [], "run `tertib contracts write`"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (changed(serial=None), ["data.serial: removed or renamed"]),
        (
            changed(serial=None, machine=(str | None, None)),
            ["data.serial: removed or renamed"],
        ),
        (changed(outage_id=(int, ...)), ["data.outage_id: retyped"]),
        (changed(ends_at=(date | None, ...)), ["data.ends_at: retyped"]),
        (changed(unit_id=(str, ...)), ["data.unit_id: retyped"]),
        (
            changed(reason=(FIELDS["reason"][0], ...)),
            ["data.reason: another default, or none", "data.reason: made required"],
        ),
        (changed(cause=(str, ...)), ["data.cause: added as required"]),
    ],
    ids=["removed", "renamed", "retyped", "retyped in part", "narrowed", "required", "added"],
)
def test_a_change_that_breaks_is_named(model: type[BaseModel], said: list[str]) -> None:
    """The proof that the check can fail: each is a change of one committed type."""
    assert broken(PROJECT, {**BY_TYPE, TYPE: model}) == [f"{TYPE}: {what}" for what in said]


def test_a_type_that_is_gone_is_named() -> None:
    left = {name: kind for name, kind in BY_TYPE.items() if name != TYPE}

    assert broken(PROJECT, left) == [
        f"{TYPE}: the type is gone, and its records are on the log for ever"
    ]


def test_a_field_with_a_default_may_be_added() -> None:
    added = changed(note=(str | None, None))

    assert broken(PROJECT, {**BY_TYPE, TYPE: added}) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (tuple[str, ...], tuple[int, ...], ["data.pin[]: retyped"]),
        (tuple[str, ...], dict[str, str], ["data.pin: retyped"]),
        (dict[str, str], dict[str, int], ["data.pin[]: retyped"]),
        (Inner, str, ["data.pin: retyped"]),
        (Inner | None, Inner, ["data.pin: retyped"]),
        (Literal["in", "out"], Literal["in"], ["data.pin: values removed: out"]),
        (Literal["in", "out"], str, ["data.pin: retyped"]),
        (str, Literal["in", "out"], ["data.pin: retyped"]),
        (Literal["in"], Literal["in", "out"], []),
        (Literal["in", "out"], Literal["out", "in"], []),
    ],
)
def test_types_within_types_are_compared(old: Any, new: Any, said: list[str]) -> None:
    assert breaks(field(old), field(new)) == said


def test_a_field_of_a_value_within_is_compared() -> None:
    other: Any = create_model("Inner", pin=(str, ...), serial=(str, ...))

    found = breaks(field(tuple[Inner, ...]), field(tuple[other, ...]))

    assert found == ["data.pin[].serial: added as required"]


def test_another_default_is_named() -> None:
    """A record that was written without the field would be read otherwise."""
    assert breaks(field(int, 3), field(int, 4)) == ["data.pin: another default, or none"]
    assert breaks(field(int, 3), field(int, 3)) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of what is committed."""
    shutil.copytree(PROJECT / SCHEMAS, tmp_path / SCHEMAS)
    (tmp_path / "docs").mkdir()
    shutil.copy(PROJECT / ASYNCAPI, tmp_path / ASYNCAPI)
    return tmp_path


def run(word: str, checkout: Path) -> tuple[int, str]:
    """Run `tertib contracts`; give its exit code and standard output."""
    result = CliRunner().invoke(app, ["contracts", word, "--project", str(checkout)])
    return result.exit_code, result.stdout


def test_the_check_finds_what_drifted_and_writing_mends_it(checkout: Path) -> None:
    (checkout / ASYNCAPI).write_text("asyncapi: 3.0.0\n")
    (checkout / SCHEMAS / f"{TYPE}.json").unlink()
    names = f"{ASYNCAPI}\n{SCHEMAS}/{TYPE}.json\n"

    assert run("check", checkout) == (1, names)
    assert run("write", checkout) == (0, names)
    assert run("check", checkout) == (0, "")


def test_a_breaking_change_is_not_written(checkout: Path) -> None:
    """A committed field that the model lacks: here the committed file has one more."""
    path = checkout / SCHEMAS / f"{TYPE}.json"
    path.write_text(path.read_text().replace('"outage_id": {', '"outage_no": {}, "outage_id": {'))
    before = path.read_text()

    assert run("write", checkout) == (1, f"{TYPE}: data.outage_no: removed or renamed\n")
    assert run("check", checkout) == (1, f"{TYPE}: data.outage_no: removed or renamed\n")
    assert path.read_text() == before


def test_elsewhere_nothing_is_written(tmp_path: Path) -> None:
    assert run("write", tmp_path) == (2, "")
    assert [*tmp_path.iterdir()] == []
