"""A run of refused transactions: when it is worth a word, and how slowly it is tried again."""

import asyncpg
import pytest

from shared.runtime.consumer.refusals import MANY, Refusals
from shared.runtime.processing.store_port import WriteConflictError

AWAY = asyncpg.TooManyConnectionsError("sorry, too many clients already")
WRONG = asyncpg.UndefinedColumnError('column "x" does not exist')


def after(*errors: Exception) -> Refusals:
    run = Refusals()
    for error in errors:
        run.note(error)
    return run


def test_an_error_of_the_statement_is_told_at_once() -> None:
    assert after(WRONG).reason == (
        'every write is refused, 1 in a row: UndefinedColumnError: column "x" does not exist'
    )


@pytest.mark.parametrize("passing", [AWAY, WriteConflictError("a cursor")])
def test_what_may_pass_is_told_when_it_does_not(passing: Exception) -> None:
    assert after(*[passing] * (MANY - 1)).reason is None
    assert f"{MANY} in a row" in str(after(*[passing] * MANY).reason)


def test_what_is_written_ends_the_run() -> None:
    run = after(WRONG, WRONG)
    run.end()

    assert (run.reason, run.pause(5.0)) == (None, 0.0)


def test_pauses_grow_up_to_the_longest() -> None:
    """The first try again is at once: most failures are of a moment."""
    pauses = [after(*[WRONG] * times).pause(5.0) for times in (0, 1, 2, 3, 4, 40)]

    assert pauses == [0.0, 0.0, 0.2, 0.4, 0.8, 5.0]


def test_whoever_lost_a_race_runs_again_at_once() -> None:
    assert after(*[WriteConflictError("a subject")] * 40).pause(5.0) == 0.0
