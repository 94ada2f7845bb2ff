"""The commands that a module brings, read from its source without running it.

`tertib --help` lists our commands and those of every service, and importing all of them takes a
second; their names and first lines are a matter of milliseconds. So each help text stands once,
where the command is.
"""

import ast
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path


def commands_of(point: EntryPoint) -> dict[str, str]:
    """Give the commands of a Typer app with their first lines.

    Shapes: functions under `@app.command(…)` with their docstrings, and groups that the module
    makes by `group = typer.Typer(help=…)` and adds by `app.add_typer(group, name=…)`. Empty if the
    module is not there, or has no source.
    """
    try:
        spec = find_spec(point.module)
    except ModuleNotFoundError:
        return {}
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return {}
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return _groups(tree, point.attr) | {
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


def _groups(tree: ast.Module, app: str) -> dict[str, str]:
    """Give the groups that are added to an app, and their helps."""
    helps: dict[str, str] = {}
    found: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=group)], value=ast.Call() as made):
                helps[group] = _told(made, "help")
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=to), attr="add_typer"),
                    args=[ast.Name(id=group)],
                ) as added
            ) if to == app:
                found[_told(added, "name")] = helps[group].partition("\n")[0]
            case _:
                continue
    return found


def _told(call: ast.Call, name: str) -> str:
    """Give a text among the named arguments of a call; empty: it is not there."""
    told = [each.value for each in call.keywords if each.arg == name]
    return next((str(each.value) for each in told if isinstance(each, ast.Constant)), "")
