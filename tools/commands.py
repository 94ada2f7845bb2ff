"""The words of `tertib` for trying it out: a simulated dataset, and the demo."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from services.attendance.cli.dataset_input import fail, say
from tools import demo
from tools.simulate.simulation import simulate

app = typer.Typer(no_args_is_help=True, help="Trying it out.")

AsJson = Annotated[bool, typer.Option("--json", help="The same for machines, on stdout.")]


@app.command("demo")
def demo_command(
    employees: Annotated[int, typer.Option(min=40)] = 400,
    days: Annotated[int, typer.Option(min=60)] = 90,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Run four regencies' quarter from device logs to delivered notices, told as a story."""
    demo.run(employees, days, seed)


@app.command("simulate")
def simulate_command(
    out: Annotated[Path, typer.Option(help="A folder that does not exist yet.")],
    employees: Annotated[int, typer.Option(min=1)] = 400,
    days: Annotated[int, typer.Option(min=1)] = 90,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder with every hard case in it; names and NIPs are invented."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("machines", total=None)
        try:
            made = simulate(
                out,
                employees,
                days,
                seed,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except FileExistsError:
            fail(f"{out} exists already: name a new folder")
    said = {**made._asdict(), "through": made.through.isoformat(), "out": str(out)}
    if as_json:
        print(json.dumps(said))
    else:
        say(
            f"{made.employees} people, {made.machines} machines, {made.punches} punches,"
            f" {made.check_ins} other check-ins in {out}; through {made.through}"
        )
