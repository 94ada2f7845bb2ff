"""Who examines and who punishes: the authority table, read as dated rows.

Source: PP 94/2021 Pasal 16-25 (unverified numbers), Peraturan BKN 6/2022 Pasal 15-32 (secondary);
the table itself is verified.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.discipline.domain.rulebook import Rules
from services.discipline.domain.sanctions import LEVELS, Sanction, order_of


class Post(NamedTuple):
    """A post above an employee. `office` names its row of the table; no holder: it is vacant."""

    office: str
    holder: str | None


class Grant(NamedTuple):
    """What an office may impose on people of one position level."""

    whom: str
    terms: frozenset[str]  # Levels, or single types of sanction.
    excepted: frozenset[str]  # Types of these levels that are excepted.

    def covers(self, whom: str, sanction: Sanction) -> bool:
        """Say whether the sanction may be imposed on a person of that position level."""
        granted = bool(self.terms & {sanction.level, sanction.name})
        return self.whom == whom and granted and sanction.name not in self.excepted


class NobodyMayPunishError(LookupError):
    """No post above the person may impose this, or all from there on are vacant."""


def who_may_punish(
    whom: str, sanction: Sanction, chain: Sequence[Post], rules: Rules
) -> tuple[Post, ...]:
    """Name the posts that may impose a sanction on a person of a position level, lowest first.

    `chain` is every post above the person, nearest first. Where a post that has the power is
    vacant, the next higher that is held has it (annex ex. 8, verified). `authority.route` says
    which are offered: `all`, the `lowest` or the `highest`.
    Errors: RuleMissingError for an office without a row; ValueError; NobodyMayPunishError.
    """
    holding = [_acting(chain[place:]) for place in _powerful(whom, sanction, chain, rules)]
    posts = tuple(dict.fromkeys(post for post in holding if post is not None))
    if not posts:
        raise NobodyMayPunishError(f"nobody above may impose {sanction.name} on {whom}")
    route = rules.choice("authority.route", "all", "lowest", "highest")
    return {"all": posts, "lowest": posts[:1], "highest": posts[-1:]}[route]


def next_above(post: Post, chain: Sequence[Post]) -> Post:
    """Name the superior of a post: the next higher that is held. Errors: NobodyMayPunishError."""
    found = _acting(chain[chain.index(post) + 1 :])
    if found is None:
        raise NobodyMayPunishError(f"nobody is above {post.office}")
    return found


def direct_superior(chain: Sequence[Post]) -> Post:
    """Name who summons and examines: the nearest post that is held. Errors: NobodyMayPunishError.

    Source: PP 94/2021 Pasal 26(1) (verified); a vacant post: annex ex. 8 (verified).
    """
    found = _acting(chain)
    if found is None:
        raise NobodyMayPunishError("all posts above are vacant")
    return found


def grants_of(office: str, rules: Rules) -> tuple[Grant, ...]:
    """Read `authority.<office>`: `whom: term, …` or `whom: term, … but type, …`, parted by `;`.

    Errors: RuleMissingError; ValueError naming the key, also for a term that is neither a level
    nor a type of sanction in force: a misspelt one would take a power away without a sign.
    """
    key = f"authority.{office}"
    types = frozenset(sanction.name for sanction in order_of(rules).types)
    grants = tuple(_grant(item, key) for item in rules.items(key))
    for grant in grants:
        unknown = (grant.terms - types - set(LEVELS)) | (grant.excepted - types)
        if unknown:
            raise ValueError(f"rule {key!r} knows no {', '.join(sorted(unknown))}")
    return grants


def _powerful(whom: str, sanction: Sanction, chain: Sequence[Post], rules: Rules) -> Iterable[int]:
    """Give the positions in the chain whose office has the power, held or vacant."""
    for place, post in enumerate(chain):
        if any(grant.covers(whom, sanction) for grant in grants_of(post.office, rules)):
            yield place


def _acting(posts: Iterable[Post]) -> Post | None:
    return next((post for post in posts if post.holder is not None), None)


def _grant(item: str, key: str) -> Grant:
    whom, colon, rest = item.partition(":")
    given, but, excepted = rest.partition(" but ")
    if not (colon and whom.strip()):
        raise ValueError(f"rule {key!r} has no grant in {item!r}")
    return Grant(whom.strip(), _terms(given), _terms(excepted) if but else frozenset())


def _terms(text: str) -> frozenset[str]:
    return frozenset(term.strip() for term in text.split(","))
