"""From codes to texts for people. All wording is in files; none is in this module.

A template's first line is the subject, the rest below a blank line is the body.
"""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, NamedTuple

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")
CODED = ("measure", "level", "sanction")  # Details that stand as codes on the log.


class Text(NamedTuple):
    """The text that a recipient reads."""

    subject: str
    body: str


def render(
    template: str, details: Mapping[str, str], names: Mapping[str, str], language: Language
) -> Text:
    """Fill a template with the words of a language.

    `names` are what was resolved at sending: `recipient`, `name`, `about_event_id`.
    Errors: LookupError for a template that there is not, or a placeholder that nothing fills.
    """
    source = templates(language)[template]
    text = source.format_map({**in_words(details, language), **names})
    subject, _, body = text.partition("\n\n")
    return Text(subject, body)


def in_words(details: Mapping[str, str], language: Language) -> dict[str, str]:
    """Put the codes and dates of a notice into the words of a language."""
    known = terms(language)
    words = dict(details)
    for kind in CODED:
        if kind in details:
            # A rule set of a regency may have codes that no file translates: show them as is.
            words[kind] = known[kind].get(details[kind], details[kind].replace("_", " "))
    if "dates" in details:
        days = [date.fromisoformat(each) for each in details["dates"].split(";") if each]
        spelled = [f"{day.day} {known['month'][str(day.month)]} {day.year}" for day in days]
        words["dates"] = "\n".join(f"- {each}" for each in spelled) or known["none"]["dates"]
    return words


@cache
def templates(language: Language) -> Mapping[str, str]:
    """Give all templates of a language by name, unfilled."""
    return {
        each.name.removesuffix(".txt"): each.read_text("utf-8").rstrip("\n")
        for each in _folder(language).iterdir()
        if each.name.endswith(".txt")
    }


@cache
def terms(language: Language) -> Mapping[str, Mapping[str, str]]:
    """Give the words of a language by kind and code."""
    known: dict[str, dict[str, str]] = json.loads(
        _folder(language).joinpath("terms.json").read_text("utf-8")
    )
    return known


def _folder(language: Language) -> Traversable:
    return files(f"services.notifications.texts.{language}")
