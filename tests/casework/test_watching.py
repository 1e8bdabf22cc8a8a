"""What watches the tests for changes without an event lets through what is derived, and nothing beside it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from activities.casework import ladder
from db.repositories.tasks import TaskRecord, save_task
from domain.vocabulary import Stage
from tests.audited import silent_changes
from tests.casework.play import Play
from tests.scene import user
from tests.workflows.stack import floor_area


@pytest.fixture
async def past_the_last_rung(play: Play) -> UUID:
    """A case for which nothing is left but digests."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    while (await play.case(update_id)).level < 3:
        await play.milestone(update_id)
    return update_id


async def test_a_digest_is_told_without_an_event(play: Play, past_the_last_rung: UUID) -> None:
    before = await play.case(past_the_last_rung)
    await play.milestone(past_the_last_rung)
    assert (await play.case(past_the_last_rung)).digests_sent == before.digests_sent + 1
    assert silent_changes() == []


async def test_a_digest_beside_which_the_holder_changes_is_a_change_without_an_event(
    play: Play, past_the_last_rung: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def save(connection: Any, task: TaskRecord, **changes: Any) -> None:
        await save_task(connection, task, **changes, claimed_by=user("kadis"), claimed_at=play.now)

    monkeypatch.setattr(ladder, "save_task", save)
    await play.milestone(past_the_last_rung)
    (told,) = silent_changes()
    assert told == "activities/casework/__init__.py, pass_milestone: tasks changed without an event"
