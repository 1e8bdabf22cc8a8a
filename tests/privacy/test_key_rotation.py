"""Rotating the keys of a registry in use: nothing is forgotten, nothing is lost, and nothing is changed on the way."""

from __future__ import annotations

import json
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Base, Evidence, EvidenceUpload, LegalHold, UnmaskRequest
from db.owner import OwnerDatabase
from db.repositories.cases import open_papers, papers_context, revision_context
from db.repositories.disclosure import Read, Reader, log_readings, request_explanation_context, request_note_context
from db.repositories.registry import known_elsewhere
from db.repositories.trail import Entry, record
from db.sealed import NOT_SEALED, SEALED, SealedColumn
from db.session import Viewer
from db.vault import Vault
from devstack.demo_people import TARAJU, demo_id
from domain.audit import AuditType
from domain.authority import Seat
from domain.changes import IdentityCorrection
from domain.decisions import answer_note_context, comment_context
from domain.disclosure import Purpose
from domain.evidence import Capture, Coordinates, EvidenceRef, EvidenceType, capture_context
from domain.ids import new_id
from domain.keyring import IndexRing, KeyRing, SealError, UnknownKeyError, generate
from domain.origins import ActOrigin, Means, Traces, act_origin_context, acting_from, answer_origin_context
from domain.people import Identity, identity_context
from domain.retention import hold_context, lift_context
from domain.uploads import device_context
from domain.vocabulary import Outcome, ReasonCode, Role, Stage
from services.administration.audit import verify_one
from services.administration.keys import (
    IN_THE_CLEAR,
    INDEX,
    PAPERS,
    REQUEST_INDEX,
    active_key,
    read_usage,
    reseal,
    stale,
)
from tests.casework.play import Play
from tests.ground import looked
from tests.privacy.requests import a_request_with_its_export
from tests.scene import FIELD_KEYS, INDEX_KEYS, SYSTEM, VAULT, Scene, household_of, user
from tests.workflows.stack import floor_area

NEW_FIELD, NEW_INDEX = generate(key_id="f2"), generate(key_id="i2")
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
NIK = "3206131708900009"


def _vault(field: str, index: str) -> Vault:
    return Vault(KeyRing.parse(field, setting="field"), IndexRing.parse(index, setting="index"))


ROTATING = _vault(f"{NEW_FIELD},{FIELD_KEYS}", f"{NEW_INDEX},{INDEX_KEYS}")
ROTATED = _vault(NEW_FIELD, NEW_INDEX)


@pytest.fixture
async def used(scene: Scene) -> Scene:
    """A registry with something in every sealed column, and an open case that brings in a number."""
    play = Play(scene)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO, note="Buram")
    household = household_of(1)
    assert household.head is not None
    await play.begin(IdentityCorrection(member_id=household.head.id, nik=NIK), place=1)
    await _answered_and_read(scene, update_id)
    await _asked_from(scene)
    await _commented(scene, update_id)
    return scene


async def _commented(scene: Scene, update_id: Any) -> None:
    comment_id, author = new_id(), user("operator.taraju")
    said = {"id": comment_id, "case": update_id, "area": TARAJU, "author": author, "at": NOW}
    said |= {"text": VAULT.seal_text("Rumah kosong", context=comment_context(comment_id))}
    said |= {"office": demo_id("office", f"desa/{TARAJU}")}
    async with scene.as_owner() as connection:
        await connection.execute(
            text(
                "INSERT INTO comments (id, update_id, area_code, text, author_id, author_role, office_id, written_at) "
                "VALUES (:id, :case, :area, :text, :author, 'village_operator', :office, :at)",
            ),
            said,
        )


CALLED_BACK = ActOrigin(means=Means.PARTNER, traces=Traces(address="203.0.113.5"))


async def _asked_from(scene: Scene) -> None:
    """An act that waits for the engine, and an event, of somebody at an address."""
    waiting = (await scene.rows("SELECT id FROM idempotency_keys ORDER BY id"))[0].id
    sealed = VAULT.seal(CALLED_BACK, context=act_origin_context(waiting))
    async with scene.as_owner() as connection:
        at_act = {"id": waiting, "origin": sealed}
        await connection.execute(text("UPDATE idempotency_keys SET origin = :origin WHERE id = :id"), at_act)
        with acting_from(CALLED_BACK, lambda: VAULT.fields):
            await record(connection, "access", [Entry(type=AuditType.ACCESS_REFUSED)], at=NOW, area_code=None)


async def _answered_and_read(scene: Scene, update_id: Any) -> None:
    answer_id = await scene.ministry_answers(update_id, "rejected", receipt_no="KS-1", reason="quota")
    note = VAULT.seal_text("Kuota penuh", context=answer_note_context(answer_id))
    async with scene.as_owner() as connection:
        await connection.execute(text("ALTER TABLE ministry_answers DISABLE TRIGGER ministry_answers_upkeep_only"))
        origin = VAULT.seal(CALLED_BACK, context=answer_origin_context(answer_id))
        named = {"note": note, "origin": origin}
        await connection.execute(text("UPDATE ministry_answers SET note = :note, origin = :origin"), named)
        await connection.execute(text("ALTER TABLE ministry_answers ENABLE TRIGGER ministry_answers_upkeep_only"))
    operator, request_id = user("operator.taraju"), new_id()
    identity = VAULT.seal(Identity(email="operator@taraju.example"), context=identity_context(operator))
    async with scene.as_owner() as connection:
        named = {"identity": identity, "id": operator}
        await connection.execute(text("UPDATE users SET identity = :identity WHERE id = :id"), named)
    seat = Seat(role=Role.VILLAGE_OPERATOR, office_id=new_id(), area_code=TARAJU)
    reader = Reader(user_id=operator, seat=seat, purpose=Purpose.FIELD_VISIT, explanation="Kunjungan rumah")
    async with scene.app.transaction(Viewer(name=str(operator), areas=(TARAJU,))) as connection:
        read = Read(subject="update", area_code=TARAJU, update_id=update_id)
        await log_readings(connection, reader, [read], at=NOW, vault=VAULT)
        await connection.execute(
            insert(UnmaskRequest).values(
                id=request_id,
                area_code=TARAJU,
                purpose=Purpose.FIELD_VISIT.value,
                explanation=VAULT.seal_text("Bantuan beras", context=request_explanation_context(request_id)),
                rows=1,
                hours=1,
                requested_by=operator,
                requested_at=NOW,
            ),
        )
        await _keep_files(connection, operator)
    await _refuse(scene, request_id)
    await _hold(scene, update_id)
    await looked(scene, update_id)
    await a_request_with_its_export(scene)


async def _refuse(scene: Scene, request_id: UUID) -> None:
    """Another person has said no to the request, and why."""
    note = VAULT.seal_text("Belum perlu", context=request_note_context(request_id))
    answer = {"verdict": "refused", "note": note, "decided_by": user("verifikator"), "decided_at": NOW}
    async with scene.app.transaction(Viewer(name=str(user("verifikator")), areas=(TARAJU,))) as connection:
        await connection.execute(update(UnmaskRequest).where(UnmaskRequest.id == request_id).values(**answer))


async def _hold(scene: Scene, update_id: UUID) -> None:
    """A hold that one person placed and another lifted."""
    hold, of_case = new_id(), {"update_id": update_id, "area_code": TARAJU, "ground": "audit"}
    placed = {
        "explanation": VAULT.seal_text("Pemeriksaan", context=hold_context(hold)),
        "placed_by": user("kadis"),
        "placed_at": NOW,
    }
    lifted = {
        "lifted_because": VAULT.seal_text("Selesai", context=lift_context(hold)),
        "lifted_by": user("inspektorat"),
        "lifted_at": NOW,
    }
    async with scene.as_owner() as connection:
        await connection.execute(insert(LegalHold).values(id=hold, **of_case, **placed, **lifted))


async def _keep_files(connection: AsyncConnection, operator: UUID) -> None:
    """A picture of which is known where it was taken, and an upload of a device that says where it is."""
    picture, upload = new_id(), new_id()
    place = Coordinates(latitude=-7.4, longitude=108.2, source="device")
    await connection.execute(
        insert(Evidence).values(
            id=picture,
            area_code=TARAJU,
            type="house_photo",
            uploaded_by=operator,
            kept_at=NOW,
            received_sha256=b"r",
            sha256=b"s",
            size=1,
            media_type="image/jpeg",
            signed=False,
            scanned=False,
            capture=VAULT.seal(Capture(coordinates=place), context=capture_context(picture)),
        ),
    )
    await connection.execute(
        insert(EvidenceUpload).values(
            id=upload,
            area_code=TARAJU,
            type="house_photo",
            uploaded_by=operator,
            length=1,
            parts=[],
            details=VAULT.seal(place, context=device_context(upload)),
            created_at=NOW,
            expires_at=NOW,
        ),
    )


def owner(scene: Scene) -> OwnerDatabase:
    return OwnerDatabase(scene.urls.migrator)


async def contents(scene: Scene, sealed: SealedColumn, vault: Vault) -> list[bytes]:
    """What stands in a sealed column, opened."""
    async with owner(scene).transaction() as connection:
        keys = sealed.table.primary_key.columns
        rows = (
            await connection.execute(select(sealed.table).where(sealed.envelope.is_not(None)).order_by(*keys))
        ).all()
    return [vault.fields.open(getattr(row, sealed.column), context=sealed.context(row)) for row in rows]


async def usage_of(scene: Scene) -> dict[str, set[str]]:
    """Which keys the values of each column are under."""
    async with owner(scene).transaction() as connection:
        usage = await read_usage(connection)
    return {one.column: {other.key_id for other in usage if other.column == one.column} for one in usage}


async def rotate(scene: Scene, **how: Any) -> dict[str, int]:
    """How many values were sealed anew, by column."""
    done: dict[str, int] = {}
    async with aclosing(reseal(owner(scene), ROTATING, at=NOW, **how)) as chunks:
        async for chunk in chunks:
            assert chunk.unmatched == 0
            done[chunk.column] = done.get(chunk.column, 0) + chunk.values
    return done


def test_every_column_of_bytes_is_sealed_or_says_what_it_holds() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    sealed = {column.name for column in SEALED}
    assert sealed | NOT_SEALED.keys() == columns, "say in db/sealed.py what the column holds"
    assert sealed & NOT_SEALED.keys() == set()


async def test_a_rotation_leaves_every_content_as_it_was_and_nothing_under_the_old_keys(used: Scene) -> None:
    before = {sealed.name: await contents(used, sealed, VAULT) for sealed in SEALED}
    assert [name for name, held in before.items() if not held] == [], "a column without rows would prove nothing"
    async with owner(used).transaction() as connection:
        waiting = stale(await read_usage(connection), ROTATING)
    done = await rotate(used, chunk=3)
    assert sum(done.values()) == waiting
    assert {sealed.name: await contents(used, sealed, ROTATED) for sealed in SEALED} == before
    assert await usage_of(used) == {column: {active_key(column, ROTATED)} for column in (*before, INDEX, REQUEST_INDEX)}
    for sealed in SEALED:
        with pytest.raises(UnknownKeyError):
            await contents(used, sealed, VAULT)
    assert await rotate(used) == {}, "a second run finds nothing to do"
    async with owner(used).transaction(snapshot=True) as connection:
        for row in await used.rows("SELECT stream FROM audit_streams"):
            assert (await verify_one(connection, row.stream)).flaws == []


async def test_numbers_are_found_before_during_and_after_a_rotation(used: Scene) -> None:
    head = household_of(0).head
    assert head is not None
    numbers = {"nik": [NIK, *([head.nik] if head.nik else [])], "kk": [household_of(0).kk_number]}

    async def found(vault: Vault) -> list[tuple[str, str, str]]:
        async with used.app.transaction(SYSTEM) as connection:
            return sorted(await known_elsewhere(connection, numbers, household_id=None, update_id=None, vault=vault))

    before = await found(VAULT)
    assert {number for number, _, _ in before} == {number for held in numbers.values() for number in held}
    async with aclosing(reseal(owner(used), ROTATING, at=NOW, chunk=2)) as chunks:
        async for _ in chunks:
            assert await found(ROTATING) == before
    assert await found(ROTATED) == before
    assert await found(VAULT) == []


async def test_cut_off_it_goes_on_where_it_stood(used: Scene) -> None:
    async with owner(used).transaction() as connection:
        waiting = stale(await read_usage(connection), ROTATING)
    async with aclosing(reseal(owner(used), ROTATING, at=NOW, chunk=2)) as chunks:
        first = await anext(chunks)
    assert 0 < first.values < waiting
    done = await rotate(used)
    assert sum(done.values()) == waiting - first.values
    told = await used.rows("SELECT (data->>'values')::int AS n FROM audit_events WHERE type = 'keys.resealed'")
    assert sum(row.n for row in told) == waiting


async def test_a_row_that_somebody_holds_is_left_for_the_next_run(used: Scene) -> None:
    household = household_of(2)
    async with used.worker.transaction(SYSTEM) as other:
        await other.execute(text("SELECT 1 FROM households WHERE id = :id FOR UPDATE"), {"id": household.id})
        await rotate(used)
        assert (await usage_of(used))["households.content"] == {"k1", "f2"}
    assert (await rotate(used))["households.content"] == 1
    assert (await usage_of(used))["households.content"] == {"f2"}


@pytest.mark.parametrize(
    "change",
    [
        "change = change",
        "change = change || '\\x00'::bytea",
        "change = :forged",
        "submitted_by = gen_random_uuid()",
        "evidence = '[1]', papers = NULL",
        "erased_at = now()",
    ],
)
async def test_upkeep_replaces_the_envelope_of_an_append_only_row_and_nothing_else(used: Scene, change: str) -> None:
    forged = ROTATED.fields.seal(b"another content", context="somewhere")
    statement = f"UPDATE update_revisions SET {change}"  # noqa: S608 - our own words
    for upkeep in ("", "erase"):
        await _refused(used, statement, forged, upkeep=upkeep)
    if change != "change = change":
        await _refused(used, statement, forged, upkeep="reseal")


async def _refused(scene: Scene, statement: str, forged: bytes, *, upkeep: str) -> None:
    async with scene.as_owner() as connection:
        await connection.execute(text("SELECT set_config('kawal.upkeep', :upkeep, true)"), {"upkeep": upkeep})
        with pytest.raises(DBAPIError, match="never changed or removed"):
            await connection.execute(text(statement), {"forged": forged} if ":forged" in statement else {})


async def test_an_envelope_that_does_not_open_stops_the_run_before_it_is_lost(used: Scene) -> None:
    stranger = _vault(f"{NEW_FIELD},{generate(key_id='k1')}", f"{NEW_INDEX},{INDEX_KEYS}")
    before = await usage_of(used)
    chunks = reseal(owner(used), stranger, at=NOW)
    with pytest.raises(SealError, match="altered or belongs elsewhere"):
        await anext(chunks)
    assert await usage_of(used) == before


KTP = {"type": "ktp", "reference": NIK, "note": "Asli, \u00e9t\u00e9"}
CLEAR = [KTP]


async def test_papers_of_before_are_read_sealed_by_a_rotation_and_read_the_same(used: Scene) -> None:
    """A migration has no keys: the operator's command seals what stood in the clear, and it is read meanwhile."""
    case = await used.one("SELECT update_id AS id, change FROM update_revisions WHERE revision = 1 LIMIT 1")
    change = VAULT.fields.open(case.change, context=revision_context(case.id, 1))
    columns = "update_id, area_code, submitted_by, submitted_at"
    await used.rows(
        f"INSERT INTO update_revisions (revision, evidence, change, {columns}) "  # noqa: S608 - our own words
        f"SELECT 9, CAST(:papers AS jsonb), :change, {columns} FROM update_revisions "
        "WHERE update_id = :id AND revision = 1 RETURNING 1",
        id=case.id,
        papers=json.dumps(CLEAR),
        change=VAULT.fields.seal(change, context=revision_context(case.id, 9)),
    )
    row, of_row = "FROM update_revisions WHERE revision = 9", papers_context(case.id, 9)
    before = open_papers(await used.one(f"SELECT evidence, papers {row}"), context=of_row, vault=VAULT)
    assert before == (EvidenceRef(type=EvidenceType.KTP, reference=NIK, note="Asli, \u00e9t\u00e9"),)
    assert (await usage_of(used))[PAPERS] == {IN_THE_CLEAR}
    for forged in (b"", ROTATED.fields.seal(b"another content", context=of_row)):
        statement = "UPDATE update_revisions SET papers = :forged, evidence = NULL WHERE revision = 9"
        await _refused(used, statement, forged, upkeep="reseal")

    assert (await rotate(used))[PAPERS] == 1
    sealed = await used.one(f"SELECT evidence, papers {row}")
    assert sealed.evidence is None
    assert open_papers(sealed, context=of_row, vault=ROTATED) == before
    assert PAPERS not in await usage_of(used)


async def test_nothing_that_is_submitted_names_a_paper_in_the_clear(used: Scene) -> None:
    await used.submit(floor_area(41), household=household_of(2), evidence=[EvidenceRef.model_validate(CLEAR[0])])
    rows = await used.rows("SELECT to_jsonb(r)::text AS row FROM update_revisions r")
    assert len(rows) > 1
    assert [row.row for row in rows if NIK in row.row] == []
    async with owner(used).transaction() as connection:
        assert PAPERS not in {one.column for one in await read_usage(connection)}
