"""What the case of the filled registry waited for: a paper, its lapse, the answer of a school."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, text

from db.models import DocumentWait, InformationRequest, LapseNotice
from devstack.demo_people import demo_id
from domain.ids import new_id
from domain.vocabulary import Role
from tests.db.looking import TARAJU, seeing
from tests.scene import SYSTEM, Scene, user


async def wait_for_others(scene: Scene, update_id: UUID, task_id: UUID) -> None:
    """All of it, over by now."""
    await _wait_for_a_paper(scene, update_id, task_id)
    await _tell_of_a_lapse(scene, update_id, task_id)
    await _ask_an_office(scene, update_id, task_id)


async def _wait_for_a_paper(scene: Scene, update_id: UUID, task_id: UUID) -> None:
    """The repair waited for a family card."""
    operator, at = user("operator.taraju"), datetime.now(UTC)
    async with seeing(scene.app, str(operator), TARAJU) as connection:
        await connection.execute(
            insert(DocumentWait).values(
                id=new_id(),
                task_id=task_id,
                update_id=update_id,
                area_code=TARAJU,
                document="kk",
                office="civil_registry_office",
                reason="being_issued",
                from_at=at,
                until_at=at,
                begun_by=operator,
                begun_role=Role.VILLAGE_OPERATOR.value,
                office_id=demo_id("office", f"desa/{TARAJU}"),
                ended_at=at,
                ended_because="given_up",
                ended_by=operator,
            ),
        )


async def _tell_of_a_lapse(scene: Scene, update_id: UUID, task_id: UUID) -> None:
    """The applicant was told that the case would lapse."""
    at = datetime.now(UTC)
    row = {"task_id": task_id, "update_id": update_id, "area_code": TARAJU, "told_at": at, "lapses_at": at}
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(insert(LapseNotice).values(row | {"id": new_id(), "deadline": {}}))


async def _ask_an_office(scene: Scene, update_id: UUID, task_id: UUID) -> None:
    """The officer asked the school, and took it back."""
    officer, at = user("puskesos.taraju"), datetime.now(UTC)
    async with seeing(scene.app, str(officer), TARAJU) as connection:
        question = await connection.scalar(text("SELECT id FROM comments LIMIT 1"))
        await connection.execute(
            insert(InformationRequest).values(
                id=new_id(),
                task_id=task_id,
                update_id=update_id,
                area_code=TARAJU,
                office="school",
                question_id=question,
                asked_by=officer,
                asked_role=Role.PUSKESOS_OFFICER.value,
                asked_at=at,
                due_at=at,
                deadline={},
                pause_id=new_id(),
                stands_until=at,
                state="withdrawn",
                ended_at=at,
                ended_by=officer,
            ),
        )
