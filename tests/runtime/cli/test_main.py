"""The word `tertib`: what it lists, imports and answers."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.main import get_group

from shared import plugins
from shared.local import ports
from shared.local.locks import locked
from shared.local.stack import LocalStack
from shared.runtime.cli import main
from shared.runtime.settings import BOOTSTRAP
from tests.kit.logs import restored

ROOT = Path(__file__).parents[3]


def tertib(
    *words: str, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> tuple[int, str, str]:
    """Run it as a process; give the exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "shared.runtime.cli", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_help_lists_our_commands_and_those_of_the_services() -> None:
    code, out, _ = tertib("--help")

    assert code == 0
    names = set(re.findall(r"^  (\w+)  ", out, flags=re.MULTILINE))
    assert {"up", "down", "status", "serve", "topics", "export", "preview", "simulate"} <= names


def test_what_help_says_of_a_command_is_what_the_command_says_of_itself() -> None:
    """The list is a table, so that no command is imported for it; and every command is in it."""
    listed = main.commands()
    apps = {where for where, _ in listed.values()}
    said = {
        name: (where, (one.help or "").partition("\n")[0])
        for where in apps
        for name, one in get_group(EntryPoint("app", where, "").load()).commands.items()
    }

    assert {"up", "serve", "backfill", "inbox", "simulate"} <= set(listed)
    assert listed == said


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"sqlalchemy", "aiokafka", "asyncpg", "pydantic", "yaml"}),
        (["status", "--help"], {"sqlalchemy", "aiokafka"}),
    ],
)
def test_a_command_imports_nothing_that_it_does_not_need(
    words: list[str], heavy: set[str]
) -> None:
    """The word must answer at once."""
    code = (
        f"import sys; sys.argv = ['tertib', *{words}]\n"
        "from shared.runtime.cli import main\n"
        "try: main.main()\n"
        "except SystemExit: pass\n"
        f"print(sorted({heavy} & {{*sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words", [["nonsense"], ["serve"], ["export", "nothing"], ["up", "--nodes", "two"]]
)
def test_bad_usage_is_exit_code_2_and_says_how(words: list[str]) -> None:
    code, out, err = tertib(*words)

    assert (code, out) == (2, "")
    assert "Usage: tertib" in err


def test_without_a_stack_one_line_says_what_to_do(tmp_path: Path) -> None:
    env = {"TERTIB_HOME": str(tmp_path / "none")}
    code, out, err = tertib("export", "assessments", env=env)

    assert (code, out) == (2, "")
    assert "tertib up" in err
    assert err.count("\n") == 1


def test_a_server_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    port = ports.choose(1)[0]
    url = f"postgresql://nobody:hidden@127.0.0.1:{port}/none"
    env = {BOOTSTRAP: "127.0.0.1:1", "TERTIB_ATTENDANCE_DATABASE_URL": url}
    code, _, err = tertib("export", "assessments", env=env, cwd=tmp_path)

    assert code == 2
    assert "does not answer" in err
    assert err.count("\n") == 1
    assert "hidden" not in err


def test_a_service_that_is_not_known_is_named_among_those_that_are() -> None:
    code, _, err = tertib("serve", "payroll", env={BOOTSTRAP: "127.0.0.1:1"})

    assert code == 2
    assert (
        err == "there is no service 'payroll'; there are attendance, discipline, notifications\n"
    )


def test_a_bug_shows_its_place_but_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception quotes what it stumbled over, and that may be a person."""

    def broken(_: object) -> None:
        int("Made Up")

    monkeypatch.setattr(main, "get_group", broken)
    with restored(), pytest.raises(SystemExit) as ended:
        main.main()
    err = capsys.readouterr().err

    assert ended.value.code == 2
    assert "ValueError at" in err
    assert "Made Up" not in err


@pytest.mark.system
async def test_ctrl_c_is_exit_code_130(tmp_path: Path) -> None:
    """`up` waits for whoever holds the stack's lock; here it is held, and one has enough."""
    with locked(tmp_path / "stack.lock"):
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-X", "importtime", "-P", "-m", "shared.runtime.cli", "up"],
            env={**os.environ, "TERTIB_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(120):  # Until the stack is imported: what follows is waiting.
            while b"shared.local.stack" not in (line := await process.stderr.readline()):
                assert line, "it ended"
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(120):
            await process.communicate()

    assert process.returncode == 130


def test_a_command_that_is_nearly_right_is_suggested() -> None:
    code, _, err = tertib("exprot")

    assert code == 2
    assert "Did you mean export?" in err


def test_what_is_not_installed_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine may have one service of several."""
    absent = EntryPoint("payroll", "services.payroll.main:launch", "tertib.services")
    monkeypatch.setattr(plugins, "points", lambda _: [absent])
    monkeypatch.setattr(sys, "argv", ["tertib", "serve", "payroll"])
    monkeypatch.setenv(BOOTSTRAP, "127.0.0.1:1")
    with restored(), pytest.raises(SystemExit) as ended:
        main.main()

    assert ended.value.code == 2
    assert "payroll: No module named 'services.payroll'" in capsys.readouterr().err


def without(package: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run it where a package is not installed, as in an image."""
    script = f"import sys; sys.modules[{package!r}] = None; sys.argv = ['tertib', *{words!r}]"
    return subprocess.run(
        [sys.executable, "-c", f"{script}; from shared.runtime.cli.main import main; main()"],
        env={name: value for name, value in os.environ.items() if "TERTIB" not in name},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_where_no_server_is_named_and_none_can_be_started_one_is_told_what_to_set() -> None:
    """An image holds nothing of the local stack: there is nothing to use instead."""
    done = without("psutil", "serve", "attendance")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"set {BOOTSTRAP} and TERTIB_<SERVICE>_DATABASE_URL" in done.stderr


def test_a_command_of_what_is_not_installed_names_the_package() -> None:
    done = without("psutil", "up")

    assert (done.returncode, done.stderr) == (
        2,
        "this needs the package psutil, which is not installed here\n",
    )


@pytest.mark.system
def test_topics_makes_those_of_all_services_and_again_nothing(stack: LocalStack) -> None:
    env = {"TERTIB_HOME": str(stack.home)}

    for _ in range(2):
        code, _, err = tertib("topics", env=env)
        assert code == 0
        assert "attendance.facts.v1" in err
        assert "notifications.planner.parked.v1" in err


@pytest.mark.system
def test_a_table_of_a_service_that_never_ran_says_so(stack: LocalStack, tmp_path: Path) -> None:
    out = tmp_path / "table.csv"
    env = {"TERTIB_HOME": str(stack.home)}
    code, _, err = tertib("export", "proposals", "--out", str(out), env=env)

    assert code == 2
    assert err == "discipline has no tables yet: it was never started (`tertib up`)\n"
    assert not out.exists()
