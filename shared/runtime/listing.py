"""The commands that a module brings, read from its source without running it.

`tertib --help` lists commands of every service, and importing all of them takes a second; their
names and first lines are a matter of milliseconds.
"""

import ast
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path


def commands_of(point: EntryPoint) -> dict[str, str]:
    """Give what the functions under `@app.command(…)` are called, and their first lines.

    Only what stands in the module itself is seen: groups that are added to it are not. Empty if
    the module is not there, or has no source.
    """
    try:
        spec = find_spec(point.module)
    except ModuleNotFoundError:
        return {}
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return {}
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {
        name: (ast.get_docstring(node) or "").partition("\n")[0]
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for name in _names(node, point.attr)
    }


def _names(function: ast.FunctionDef, app: str) -> list[str]:
    """Name the commands that a function is, as Typer does."""
    found = []
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr="command"), args=args):
                if of == app:
                    told = [each.value for each in args if isinstance(each, ast.Constant)]
                    found.append(str(told[0]) if told else function.name.replace("_", "-"))
            case _:
                continue
    return found
