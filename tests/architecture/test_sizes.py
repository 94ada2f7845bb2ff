"""Files of the runtime stay short, so that each has one subject."""

from pathlib import Path

RUNTIME = Path(__file__).resolve().parents[2] / "shared" / "runtime"
LINES = 250
FILES = 20  # In one package.


def test_no_file_of_the_runtime_is_long() -> None:
    """Whoever must add to one that is full cuts it by meaning first."""
    lengths = {
        str(path.relative_to(RUNTIME)): len(path.read_text(encoding="utf-8").splitlines())
        for path in RUNTIME.rglob("*.py")
    }

    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_no_package_of_the_runtime_is_wide() -> None:
    widths = {path.name: len(list(path.glob("*.py"))) for path in RUNTIME.iterdir()}

    assert {name: width for name, width in widths.items() if width > FILES} == {}
