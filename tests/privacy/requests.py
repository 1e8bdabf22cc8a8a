"""A request of a person with its export, as it stands in the tables."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from db.models import DataSubjectDigest, DataSubjectExport, DataSubjectRequest
from devstack.demo_people import TARAJU
from domain.audit import new_salt
from domain.ids import new_id
from domain.rights import export_context, nik_context, rights_note_context, words_context
from tests.scene import VAULT, Scene, user

NIK = "3206134107900001"


async def a_request_with_its_export(scene: Scene) -> None:
    """Of somebody in Taraju; written by the owner of the tables."""
    request, at = new_id(), datetime.now(UTC)
    (digest,) = VAULT.digests([NIK], purpose="nik")
    asked = {"kind": "access", "state": "granted", "asked_by": "self", "identified_by": "identity_card"}
    answered = {"answered_at": at, "reason": "export_made", "held": True, "export_until": at}
    async with scene.as_owner() as connection:
        await connection.execute(
            insert(DataSubjectRequest).values(
                id=request,
                area_code=TARAJU,
                nik=VAULT.seal_text(NIK, context=nik_context(request)),
                explanation=VAULT.seal_text("Ingin tahu", context=words_context(request)),
                note=VAULT.seal_text("Diserahkan", context=rights_note_context(request)),
                salt=new_salt(),
                requested_by=user("kadis"),
                requested_at=at,
                due_at=at,
                **asked,
                **answered,
            ),
        )
        await connection.execute(
            insert(DataSubjectDigest).values(
                id=new_id(),
                request_id=request,
                area_code=TARAJU,
                key_id=digest.key_id,
                digest=digest.digest,
            ),
        )
        await connection.execute(
            insert(DataSubjectExport).values(
                request_id=request,
                area_code=TARAJU,
                content=VAULT.seal_text("{}", context=export_context(request)),
                made_at=at,
                expires_at=at,
            ),
        )
