"""A ground check with its report, and where the village is, put straight into the tables."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from db.models import AreaPoint, Evidence, GroundCheck, GroundReport, Task
from devstack.demo_people import TARAJU, demo_id
from domain.ground_checks import GroundContent, GroundReportInput, check_note_context, report_context
from domain.ids import new_id
from domain.places import Standpoint
from domain.vocabulary import GroundOutcome, Role
from tests.scene import VAULT, Scene, user

LOOKER = "pkh.taraju"


HERE = Standpoint(latitude=-7.4637, longitude=107.9936, accuracy_m=8)


async def photo(scene: Scene, by: str = LOOKER) -> UUID:
    """A picture that somebody has uploaded for the village."""
    kept, content = new_id(), os.urandom(32)
    async with scene.as_owner() as connection:
        await connection.execute(
            insert(Evidence).values(
                id=kept,
                area_code=TARAJU,
                type="house_photo",
                uploaded_by=user(by),
                kept_at=datetime.now(UTC),
                received_sha256=content,
                sha256=content,
                size=1,
                media_type="image/jpeg",
                signed=False,
                scanned=False,
            ),
        )
    return kept


async def found(scene: Scene, *, at: datetime, by: str = LOOKER, **changes: Any) -> GroundReportInput:
    """What is said to have been found, at this moment and here, with a photo."""
    said: dict[str, Any] = {
        "outcome": GroundOutcome.FOUND_AS_REPORTED,
        "photos": (await photo(scene, by),),
        "coordinates": HERE,
        "seen_at": at,
    }
    return GroundReportInput(**{**said, **changes})


async def looked(scene: Scene, update_id: UUID, *, at: datetime | None = None) -> UUID:
    """Somebody was asked for and has reported on the case; the report."""
    check, report, now = new_id(), new_id(), at or datetime.now(UTC)
    office = demo_id("office", f"puskesos/{TARAJU}")
    shared = {"update_id": update_id, "area_code": TARAJU}
    async with scene.as_owner() as connection:
        task = await connection.scalar(select(Task.id).where(Task.update_id == update_id).order_by(Task.id).limit(1))
        await connection.execute(
            insert(GroundCheck).values(
                id=check,
                task_id=task,
                revision=1,
                gates="verification",
                triggers=["by_hand"],
                touched_by=[user("operator.taraju")],
                requested_by=user("puskesos.taraju"),
                reason="facts_doubted",
                note=VAULT.seal_text("Rumahnya lain", context=check_note_context(check)),
                asked_at=now,
                **shared,
            )
        )
        content = GroundContent(coordinates=HERE, seen_at=now, note="Rumah papan")
        await connection.execute(
            insert(GroundReport).values(
                id=report,
                check_id=check,
                outcome="found_as_reported",
                differs=[],
                photos=[],
                far=None,
                content=VAULT.seal(content, context=report_context(report)),
                filed_by=user(LOOKER),
                role=Role.GROUND_CHECKER.value,
                office_id=office,
                filed_at=now,
                **shared,
            )
        )
    return report


async def located(scene: Scene) -> None:
    """The regency has recorded where the village is."""
    async with scene.as_owner() as connection:
        await connection.execute(
            insert(AreaPoint).values(
                id=new_id(),
                area_code=TARAJU,
                latitude=-7.46,
                longitude=107.99,
                source="Kantor desa",
                recorded_by=user("kabid"),
                role=Role.REGENCY_SUPERVISOR.value,
                office_id=demo_id("office", "dinsos"),
                recorded_at=datetime.now(UTC),
            )
        )
