"""The port is typed: the runtime asks a projection for members that the type checker knows."""

import ast
from pathlib import Path

RUNTIME = Path(__file__).parents[2] / "shared" / "runtime"


def asked_by_name(code: str) -> list[str]:
    """Give the calls that ask a projection for a member by its name's text."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [
        ast.unparse(call)
        for call in calls
        if ast.unparse(call.func) in {"getattr", "hasattr", "setattr"}
        and "projection" in ast.unparse(call.args[0])
    ]


def test_no_member_of_a_projection_is_asked_for_by_name() -> None:
    """A name in quotes is seen by no type checker: who misspells it hears nothing of it."""
    found = {
        str(path): calls
        for path in RUNTIME.rglob("*.py")
        if (calls := asked_by_name(path.read_text(encoding="utf-8")))
    }

    assert found == {}


def test_a_member_that_is_asked_for_by_name_is_found() -> None:
    assert asked_by_name('tells = getattr(self.store.projection, "tells", ())') != []
