"""Measuring what was played: cases whose numbers are known beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from activities.casework import Desk
from db.repositories.evaluations import digest_of
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.vocabulary import Outcome, ReasonCode, Stage
from duties.evaluation_turns import EvaluationTurns
from tests.casework.field import Field
from tests.casework.play import Play
from tests.db.looking import TARAJU
from tests.evaluations import DAY, REGENCY, measured
from tests.rounds import dates, planned, today
from tests.scene import VAULT, user
from tests.workflows.stack import floor_area


def _of(numbers: Sequence[dict[str, Any]], indicator: str, part: str = "", area: str = REGENCY) -> dict[str, Any]:
    wanted = (indicator, part, area)
    return next(each for each in numbers if (each["indicator"], each["part"], each["area_code"]) == wanted)


async def _cases(play: Play) -> None:
    """One that the regency returns and that is withdrawn, one that the village rejects, one that is applied."""
    returned = await play.begin(floor_area(30))
    await play.forward_to(returned, Stage.APPROVAL)
    await play.decide(returned, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    await play.withdraw(returned)
    rejected = await play.begin(floor_area(31), place=1)
    await play.forward_to(rejected, Stage.VERIFICATION)
    await play.milestone(rejected, at=(await play.case(rejected)).due_at)
    await play.decide(rejected, "puskesos.taraju", Outcome.REJECT, reason=ReasonCode.NOT_ELIGIBLE_MEANS)
    applied = await play.begin(floor_area(32), place=2)
    await play.through(applied)


async def test_cases_are_counted_and_custody_adds_up_to_their_age(play: Play) -> None:
    await _cases(play)
    evaluation_id, numbers = await measured(play.scene, known_until=play.later() + 30 * DAY)
    assert _of(numbers, "case_age")["n"] == 3
    assert _of(numbers, "returns")["numerator"] == 1
    above = _of(numbers, "overridden_above")
    assert (above["numerator"], above["denominator"]) == (0, 2)
    first_pass = _of(numbers, "first_pass")
    assert (first_pass["numerator"], first_pass["denominator"]) == (1, 2)
    assert _of(numbers, "case_age", area=TARAJU)["n"] == 3
    assert _of(numbers, "data_age")["n"] > 0
    held = await play.scene.rows(
        "SELECT update_id, sum(value + paused) AS held, max(u.closed_at - u.submitted_at) AS age "
        "FROM evaluation_observations o JOIN updates u ON u.id = o.update_id "
        "WHERE indicator = 'custody' AND evaluation_id = :id GROUP BY 1",
        id=evaluation_id,
    )
    assert len(held) == 3
    assert [float(row.held) for row in held] == pytest.approx([row.age.total_seconds() for row in held], abs=1e-4)


async def test_the_same_bound_gives_the_same_numbers_whatever_happened_since(play: Play) -> None:
    await _cases(play)
    withdrawn = await play.begin(floor_area(33), place=3)
    await play.forward_to(withdrawn, Stage.VERIFICATION)
    applied = await play.begin(floor_area(34), place=4)
    bound = play.later()
    _, first = await measured(play.scene, known_until=bound)
    assert _of(first, "open_age")["n"] == 2
    await play.withdraw(withdrawn)
    await play.through(applied)
    _, again = await measured(play.scene, known_until=bound)
    assert again == first
    assert digest_of(again) == digest_of(first)
    _, other = await measured(play.scene, known_until=play.later())
    assert digest_of(other) != digest_of(first)


async def test_a_round_that_was_closed_is_evaluated_once_with_what_missed_its_cutoff(play: Play) -> None:
    now = datetime.now(UTC)
    round_id = await planned(play.scene, dates(today(now) - 30 * DAY, today(now) - 2 * DAY), at=now)
    turns = EvaluationTurns(desk=Desk(play.scene.worker, VAULT, play.scene.rules))
    assert await turns.begin_due(now) == 0, "it is not closed"
    closed = "UPDATE rounds SET closed_at = :at, closed_by = :by WHERE id = :id"
    async with play.scene.as_owner() as connection:
        await connection.execute(text(closed), {"at": now, "by": user("perencana"), "id": round_id})
    with acting_from(ActOrigin(means=Means.DUTY, part="evaluation_turns"), no_ring):
        begun_by = await asyncio.gather(*(turns.begin_due(now) for _ in range(3)))
        assert sorted(begun_by) == [0, 0, 1]
        assert await turns.begin_due(now) == 0
    (begun,) = await play.scene.rows("SELECT * FROM evaluations WHERE round_id = :id", id=round_id)
    assert (begun.cause, begun.ends_at, begun.known_until) == ("round_closed", now, now)
    messages = await play.scene.rows("SELECT subject_id FROM outbox WHERE topic = 'start_evaluation'")
    assert [message.subject_id for message in messages] == [begun.id]


async def test_the_time_in_which_somebody_looks_is_theirs_and_not_the_asking_offices(play: Play) -> None:
    field = Field(play)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    play.later(DAY)
    await field.ask(update_id, "puskesos.taraju")
    play.later(5 * DAY)
    await field.report(update_id)
    play.later(2 * DAY)
    await play.withdraw(update_id)
    evaluation_id, _ = await measured(play.scene, known_until=play.later() + 30 * DAY)
    held = await play.scene.rows(
        "SELECT o.part, o.value + o.paused AS held, f.name FROM evaluation_observations o "
        "LEFT JOIN offices f ON o.part = 'office:' || f.id WHERE indicator = 'custody' AND evaluation_id = :id",
        id=evaluation_id,
    )
    case = await play.scene.one("SELECT closed_at - submitted_at AS age FROM updates WHERE id = :id", id=update_id)
    assert sum(row.held for row in held) == pytest.approx(case.age.total_seconds(), abs=1e-4)
    whole_days = {row.part: round(row.held / DAY.total_seconds()) for row in held if row.held > DAY.total_seconds()}
    assert sorted(whole_days.values()) == [3, 5], held
