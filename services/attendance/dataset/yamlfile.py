"""YAML documents of a dataset: every scalar is text (semantics A5), each problem has its path."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.attendance.dataset.cells import UnreadableError
from services.attendance.dataset.findings import Findings
from shared.runtime.yaml_text import load_text

# A YAML value when every scalar is text: a text, a list or a mapping.
Loaded = Any
REQUIRED: Any = object()
_NULL = ("null", "Null", "NULL", "~")  # Means «left out» where a value may be left out.


def load_yaml(path: Path) -> Loaded:
    """Give the one document of a file, its scalars as text.

    Errors: UnreadableError if it is not UTF-8, not YAML, or not one document.
    """
    try:
        return load_text(path.read_bytes().decode("utf-8-sig"))
    except ValueError:  # UnicodeDecodeError is one, too.
        raise UnreadableError(code="unreadable_yaml") from None


class Fields:
    """The named values of one mapping of a document; notes what is missing, wrong or unknown."""

    def __init__(self, mapping: Loaded, file: str, path: str, findings: Findings) -> None:
        self._place = file, 1
        self._path = path
        self._findings = findings
        self._taken: set[str] = set()
        self.good = isinstance(mapping, dict)
        self._mapping: Mapping[str, Any] = mapping if self.good else {}
        if not self.good:
            self.fail(path, mapping, "not_a_mapping")

    def take(self, key: str, read: Callable[[str], Any], default: Loaded = REQUIRED) -> Loaded:
        """Read a scalar; a missing or blank one is the default, if there is one."""
        self._taken.add(key)
        path, value = self._at(key), self._mapping.get(key)
        if value is None or value == "":
            if default is REQUIRED and self.good:
                self.fail(path, "", "missing_key")
            return None if default is REQUIRED else default
        if value in _NULL and default is not REQUIRED:
            return default
        if not isinstance(value, str):
            self.fail(path, value, "not_a_text")
            return None
        if "\0" in value:
            self.fail(path, "", "unstorable")
            return None
        try:
            return read(value)
        except UnreadableError as unreadable:
            self.fail(path, value, unreadable.code, **unreadable.details)
            return None

    def inner(self, key: str, *, required: bool = False) -> "Fields":
        """Give a mapping within this one; one that may be left out is then empty."""
        self._taken.add(key)
        value = self._mapping.get(key)
        if value is None and required and self.good:
            self.fail(self._at(key), "", "missing_key")
        file = self._place[0]
        return Fields(value or {}, file, self._at(key), self._findings)

    def items(self, key: str, *, required: bool = False) -> Sequence[Any]:
        """Give a list; one that may be left out is then empty."""
        self._taken.add(key)
        value = self._mapping.get(key)
        if value is None or value == "":
            if required and self.good:
                self.fail(self._at(key), "", "missing_key")
            return ()
        if not isinstance(value, list):
            self.fail(self._at(key), value, "not_a_list")
            return ()
        return value

    def each(self, key: str, *, required: bool = False) -> list["Fields"]:
        """Give the mappings of a list."""
        file = self._place[0]
        return [
            Fields(item, file, f"{self._at(key)}[{i}]", self._findings)
            for i, item in enumerate(self.items(key, required=required))
        ]

    def names(self) -> tuple[str, ...]:
        """Name what the mapping holds."""
        return tuple(str(key) for key in self._mapping)

    def fail(self, path: str, value: Loaded, code: str, **details: str) -> None:
        """Note that the document cannot be read, and why."""
        self.good = False
        self._findings.error(self._place, path, _shown(value), code, **details)

    def fail_at(self, key: str, code: str) -> None:
        """Note that a value, read before, makes the document unreadable."""
        self.fail(self._at(key), self._mapping[key], code)

    def warn_at(self, key: str, code: str) -> None:
        """Note that a value is doubtful; the document is loaded."""
        self._findings.warn(self._place, self._at(key), _shown(self._mapping[key]), code)

    def warn_unknown(self) -> None:
        """Warn of unknown names: a misspelt one would be ignored without a sign."""
        for key in self.names():
            if key not in self._taken:
                value = _shown(self._mapping[key])
                self._findings.warn(self._place, self._at(key), value, "unknown_key")

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _shown(value: Loaded) -> str:
    return value if isinstance(value, str) else ""
