"""Where somebody stood and what they saw of a home: told to the person whose it is, and erased in its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from domain.ids import new_id
from domain.places import Standpoint
from duties.person_data import gather
from tests.casework.play import Play
from tests.ground import looked
from tests.privacy.test_retention import EVIDENCE, LONG_AGO, old_case, play, swept
from tests.scene import SYSTEM, VAULT, Scene, household_of
from tests.workflows.stack import floor_area

__all__ = ["play"]


async def contents(scene: Scene) -> list[Any]:
    return [
        *await scene.rows("SELECT content AS sealed, erased_at FROM ground_reports"),
        *await scene.rows("SELECT note AS sealed FROM ground_checks"),
    ]


async def test_a_report_goes_with_the_case_and_its_fact_stays(play: Play) -> None:
    scene = play.scene
    old = await old_case(play)
    await looked(scene, old, at=datetime.now(UTC) - LONG_AGO)
    assert (await swept(scene))[EVIDENCE] == 1
    report, check = await contents(scene)
    assert (report.sealed, check.sealed, report.erased_at is not None) == (None, None, True)
    (kept,) = await scene.rows("SELECT outcome, filed_by FROM ground_reports")
    assert kept.outcome == "found_as_reported"
    erased = [event.data for event in await scene.events(old) if event.type == "update.erased"]
    assert {"subject": "evidence", "items": 2} in erased
    assert EVIDENCE not in await swept(scene), "a second sweep finds nothing"


async def test_that_of_an_applied_case_goes_with_its_photos(play: Play) -> None:
    scene = play.scene
    await scene.rows("UPDATE memberships SET valid_from = now() - interval '10 years' RETURNING 1")
    play.now = datetime.now(UTC).replace(microsecond=0) - LONG_AGO
    household = await scene.household(household_of(0).id)
    applied = await scene.submit(floor_area(33), household=household, at=play.now)
    await play.through(applied)
    await looked(scene, applied, at=play.now)
    assert (await swept(scene))[EVIDENCE] == 1
    assert all(row.sealed is None for row in await contents(scene))


async def test_nobody_blanks_or_changes_what_is_not_due(play: Play) -> None:
    scene = play.scene
    update_id = await play.begin(floor_area(30))
    await looked(scene, update_id)
    assert EVIDENCE not in await swept(scene)
    for change in (
        "ground_reports SET content = NULL",
        "ground_reports SET far = true",
        "ground_checks SET note = NULL",
    ):
        with pytest.raises(DBAPIError, match="never changed or removed"):
            await scene.rows(f"UPDATE {change} RETURNING 1")


async def test_the_person_is_told_where_when_and_what_was_seen_and_not_the_officers_words(play: Play) -> None:
    scene = play.scene
    update_id = await play.begin(floor_area(30))
    await looked(scene, update_id)
    nik = next(str(member.nik) for member in household_of(0).members if member.nik)
    export = await gather(
        lambda: scene.worker.transaction(SYSTEM),
        VAULT,
        request_id=new_id(),
        nik=nik,
        area_code="32.06",
        at=datetime.now(UTC),
    )
    (held,) = [report for case in export.cases for report in case.ground_reports]
    assert (held.outcome, held.role, held.superseded) == ("found_as_reported", "ground_checker", False)
    assert held.seen is not None
    assert held.seen.keys() == {"coordinates", "seen_at"}
    assert Standpoint.model_validate(held.seen["coordinates"]).latitude == pytest.approx(-7.4637)
