"""Reads rule rows from YAML, every scalar as text, for the domain."""

from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Any, cast, get_args

from services.discipline.domain.rulebook import Confidence, RuleRow
from shared.errors import CannotRunError
from shared.runtime.projection import Rule
from shared.runtime.yaml_text import load_text

NATIONAL_DEFAULTS = "national.yaml"

_FIELDS = {
    "rule_key",
    "value",
    "region_code",
    "valid_from",
    "valid_to",
    "legal_basis",
    "confidence",
    "approved_by",
}
_MAY_BE_BLANK = {"valid_to", "approved_by"}


class UnreadableRulesError(CannotRunError):
    """The file is no list of rule rows; the message says which row and why."""


def national_defaults() -> list[RuleRow]:
    """Give the rows that come with the service: they are not signed yet.

    Errors: UnreadableRulesError, with the name of the file.
    """
    path = resources.files(__package__) / NATIONAL_DEFAULTS
    try:
        return rows_from(path.read_text(encoding="utf-8"))
    except UnreadableRulesError as error:
        raise UnreadableRulesError(f"{NATIONAL_DEFAULTS} cannot be read: {error}") from error


def rules() -> Mapping[str, Rule]:
    """Give what follows from the national rows, by their names (`Projection.rules`).

    Who signs a row, or says how sure it is, changes no conclusion. Errors: UnreadableRulesError.
    """
    rows = national_defaults()
    names = [f"{row.rule_key} of {row.region_code} from {row.valid_from}" for row in rows]
    texts = [Rule(f"{row.value} to {row.valid_to}", row.valid_from) for row in rows]
    return dict(zip(names, texts, strict=True))


def rows_from(content: str) -> list[RuleRow]:
    """Read the rows of one YAML document, a list of mappings with exactly the fields of a row.

    Dates are ISO; `valid_to` and `approved_by` may be blank. Errors: UnreadableRulesError.
    """
    try:
        loaded = load_text(content)
    except ValueError as error:
        raise UnreadableRulesError(f"no YAML: {error}") from error
    if not isinstance(loaded, list):
        raise UnreadableRulesError("not a list of rows")
    return [_row(number, fields) for number, fields in enumerate(loaded, start=1)]


def _row(number: int, fields: Any) -> RuleRow:
    if not isinstance(fields, dict) or set(fields) != _FIELDS:
        raise UnreadableRulesError(
            f"row {number}: its fields are not {', '.join(sorted(_FIELDS))}"
        )
    try:
        texts = {name: _text(name, value) for name, value in fields.items()}
        return RuleRow(
            rule_key=texts["rule_key"],
            value=texts["value"],
            region_code=texts["region_code"],
            valid_from=date.fromisoformat(texts["valid_from"]),
            valid_to=date.fromisoformat(texts["valid_to"]) if texts["valid_to"] else None,
            legal_basis=texts["legal_basis"],
            confidence=_confidence(texts["confidence"]),
            approved_by=texts["approved_by"],
        )
    except ValueError as error:
        raise UnreadableRulesError(f"row {number}: {error}") from error


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text: {value!r}")  # noqa: TRY004  (of the file, not of the code)
    if not value.strip() and name not in _MAY_BE_BLANK:
        raise ValueError(f"{name} is blank")
    return value.strip()


def _confidence(text: str) -> Confidence:
    for mark in get_args(Confidence):
        if text == mark:
            return cast("Confidence", mark)
    raise ValueError(f"confidence is not a mark: {text!r}")
