"""Examination: who does it, whether with a team, and to whom its papers go.

Source: PP 94/2021 Pasal 27 ff (verified; the numbers of later articles are not).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from services.discipline.domain.authority import Post, direct_superior, who_may_punish
from services.discipline.domain.rulebook import Rules
from services.discipline.domain.sanctions import Sanction
from shared.events.attendance import Level

TeamNeed = Literal["none", "may", "must"]


class Examination(NamedTuple):
    """How a case is examined, and who decides on it.

    `team` are the elements a team must have; empty: the examiner is alone. `deciders` are
    offered lowest first.
    """

    examiner: Post
    team_need: TeamNeed
    team: tuple[str, ...]
    deciders: tuple[Post, ...]

    @property
    def goes_up(self) -> bool:
        """Say whether minutes (BAP) and report (LHP) go up, or the examiner himself decides."""
        return self.examiner not in self.deciders


def examination(whom: str, sanction: Sanction, chain: Sequence[Post], rules: Rules) -> Examination:
    """Say who examines a person of a position level, and who decides, if this sanction is due.

    The direct superior examines; a case beyond his authority goes up with BAP and LHP. A team is
    not allowed at one level, possible at the next, and obligatory at the heaviest. Errors:
    RuleMissingError; ValueError; NobodyMayPunishError. Source: annex ex. 12a, 13a (verified).
    """
    need = team_need(sanction.level, rules)
    team = () if need == "none" else rules.items("examination.team.elements")
    deciders = who_may_punish(whom, sanction, chain, rules)
    return Examination(direct_superior(chain), need, team, deciders)


def team_need(level: Level, rules: Rules) -> TeamNeed:
    """Say whether a case of this level has an examination team.

    Errors: RuleMissingError; ValueError.

    Source: PP 94/2021 Pasal 29 (verified).
    """
    return cast("TeamNeed", rules.choice(f"examination.team.{level}", "none", "may", "must"))
