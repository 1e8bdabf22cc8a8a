"""What has had its time goes and nothing else does; the trail, its replay and its checkpoints stay whole."""

from __future__ import annotations

from collections import Counter as Tally
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.owner import OwnerDatabase
from db.repositories import trail
from db.repositories.disclosure import Read, Reader, log_readings
from db.repositories.retention import OF_ROWS, Due, count_due
from db.repositories.trail import Entry
from db.session import Viewer
from domain.audit import AuditType, stream_of_account
from domain.authority import Seat
from domain.disclosure import Purpose
from domain.ids import new_id
from domain.origins import ActOrigin, Means, Traces, acting_from
from domain.policy import DEFAULT_RETENTION, RetentionSubject, default_policy, period_of
from domain.vocabulary import Outcome, ReasonCode, Role, Stage
from duties.retention import RetentionSweep
from services.administration.audit import verify_one
from services.administration.replay import replay_cases
from tests.api.evidence import conftest as evidence_room
from tests.api.evidence.conftest import Counter
from tests.api.evidence.test_naming import file, proposal, submit
from tests.casework.play import Play
from tests.evidence.files import photo
from tests.scene import SYSTEM, VAULT, Scene, household_of, user
from tests.soundness import assert_sound
from tests.workflows.stack import floor_area

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=1100)
CONTENTS, EVIDENCE = RetentionSubject.CONTENTS, RetentionSubject.EVIDENCE
NOTE = "Rumahnya kosong, kata tetangga."

counter = evidence_room.counter


@pytest.fixture
def play(scene: Scene) -> Play:
    return Play(scene)


async def rejected(play: Play, update_id: UUID, *, ago: timedelta = LONG_AGO) -> None:
    """The case is rejected in its verification, so long ago, by people who were in office then already."""
    await play.scene.rows("UPDATE memberships SET valid_from = now() - interval '10 years' RETURNING 1")
    play.now = datetime.now(UTC).replace(microsecond=0) - ago
    await play.forward_to(update_id, Stage.VERIFICATION)
    await play.decide(
        update_id,
        "puskesos.taraju",
        Outcome.REJECT,
        reason=ReasonCode.NOT_FOUND_IN_FIELD,
        note=NOTE,
    )


async def old_case(play: Play, *, place: int = 0, ago: timedelta = LONG_AGO) -> UUID:
    household = await play.scene.household(household_of(place).id)
    update_id = await play.scene.submit(floor_area(30 + place), household=household, at=datetime.now(UTC) - ago - HOUR)
    await rejected(play, update_id, ago=ago)
    return update_id


def sweep_of(scene: Scene, archive: Any = None) -> RetentionSweep:
    return RetentionSweep(begin=lambda: scene.worker.transaction(SYSTEM), archive=archive)


async def swept(scene: Scene) -> dict[RetentionSubject, int]:
    return dict(await sweep_of(scene).sweep(datetime.now(UTC)))


async def due(scene: Scene, subject: RetentionSubject) -> Due:
    async with scene.as_owner() as connection:
        return await count_due(connection, subject)


async def test_contents_of_a_rejected_case_go_after_their_period_and_the_trail_stays_whole(play: Play) -> None:
    scene = play.scene
    old, young = await old_case(play), await old_case(play, place=1, ago=timedelta(days=300))
    play.now = datetime.now(UTC) - LONG_AGO
    applied = await scene.submit(
        floor_area(33), household=await scene.household(household_of(2).id), at=play.now - HOUR
    )
    await play.through(applied)
    before = await scene.rows("SELECT update_id, change FROM update_revisions WHERE update_id <> :id", id=old)
    assert await due(scene, CONTENTS) == Due(1, 0)
    assert (await swept(scene))[CONTENTS] == 1
    revision = await scene.one("SELECT change, evidence, erased_at FROM update_revisions WHERE update_id = :id", id=old)
    assert (revision.change, revision.evidence) == (None, [])
    assert revision.erased_at is not None
    decisions = await scene.rows("SELECT outcome, reason, note, actor_id FROM decisions WHERE update_id = :id", id=old)
    assert [row for row in decisions if row.note is not None] == []
    assert any(row.reason == "not_found_in_field" and row.actor_id == user("puskesos.taraju") for row in decisions)
    assert not await scene.rows("SELECT 1 FROM identity_digests WHERE update_id = :id", id=old)
    kept = await scene.rows("SELECT update_id, change FROM update_revisions WHERE update_id <> :id", id=old)
    assert sorted(map(tuple, kept)) == sorted(map(tuple, before))
    assert (await scene.one("SELECT note FROM decisions WHERE update_id = :id AND note IS NOT NULL", id=young)).note
    assert [event.type for event in await scene.events(old)][-1] == "update.erased"
    assert (await scene.events(old))[-1].data == {"subject": "contents", "items": 3}
    await assert_sound(scene)
    async with OwnerDatabase(scene.urls.migrator).transaction() as connection:
        report = await verify_one(connection, f"update:{old}")
    assert not report.flaws
    assert CONTENTS not in await swept(scene), "a second sweep finds nothing"


async def test_a_hold_keeps_a_case_until_another_person_lifts_it(play: Play) -> None:
    scene = play.scene
    held = await old_case(play)
    await _hold(scene, held)
    assert await due(scene, CONTENTS) == Due(0, 1)
    assert CONTENTS not in await swept(scene)
    with pytest.raises(DBAPIError, match="never changed or removed"):
        await scene.rows("UPDATE update_revisions SET change = NULL, evidence = '[]' RETURNING 1")
    with pytest.raises(DBAPIError, match="four_eyes"):
        await _lift(scene, by="kadis")
    await _lift(scene, by="inspektorat")
    with pytest.raises(DBAPIError, match="lifted once"):
        await _lift(scene, by="dpo")
    assert (await swept(scene))[CONTENTS] == 1


async def _hold(scene: Scene, update_id: UUID) -> None:
    await _as(
        scene,
        "kadis",
        "INSERT INTO legal_holds (id, update_id, area_code, ground, explanation, placed_by, placed_at)"
        " SELECT :new, id, area_code, 'audit', '', :by, now() FROM updates WHERE id = :id",
        new=uuid4(),
        id=update_id,
    )


async def _lift(scene: Scene, *, by: str) -> None:
    await _as(scene, by, "UPDATE legal_holds SET lifted_by = :by, lifted_at = now(), lifted_because = 'x'")


async def _as(scene: Scene, by: str, statement: str, **values: Any) -> None:
    async with scene.app.transaction(Viewer(name=str(user(by)), areas=("32.06",))) as connection:
        await connection.execute(text(statement), {"by": user(by), **values})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE update_revisions SET change = NULL, evidence = '[]', erased_at = now()",
        "UPDATE update_revisions SET change = 'x', evidence = '[]'",
        "UPDATE decisions SET note = NULL, minutes = NULL",
        "UPDATE read_log SET explanation = NULL",
    ],
)
async def test_nobody_blanks_what_is_not_due_not_even_the_owner(play: Play, statement: str) -> None:
    await old_case(play, ago=timedelta(days=300))
    await _read(play.scene, at=datetime.now(UTC) - timedelta(days=300))
    for database in (play.scene.worker, play.scene.app):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.transaction(SYSTEM) as connection:
                await connection.execute(text(statement))
    for upkeep in ("", "erase", "reseal"):
        with pytest.raises(DBAPIError, match=r"never changed or removed|out of valid range"):
            await _as_owner(play.scene, f"SET LOCAL kawal.upkeep = '{upkeep}'", statement)


async def _as_owner(scene: Scene, *statements: str) -> None:
    async with scene.as_owner() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_only_the_worker_may_erase(play: Play) -> None:
    await old_case(play)
    for call in ("kawal_erase_contents(10)", "kawal_erase_rows('sessions', 10)", "count(*) FROM kawal_due('contents')"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with play.scene.app.transaction(SYSTEM) as connection:
                await connection.execute(text(f"SELECT {call}"))


async def test_rows_beside_the_cases_go_too(play: Play) -> None:
    scene = play.scene
    old = await old_case(play)
    await _read(scene, at=datetime.now(UTC) - timedelta(days=1900))
    young = await _read(scene, at=datetime.now(UTC))
    await scene.rows(
        "UPDATE sessions SET expires_at = now() - interval '181 days', ends_at = now() - interval '181 days'"
        " WHERE user_id = :id RETURNING 1",
        id=user("kadis"),
    )
    told = (await scene.one("SELECT count(*) AS n FROM notifications WHERE update_id = :id", id=old)).n
    sessions = (await scene.one("SELECT count(*) AS n FROM sessions")).n
    assert told > 0
    erased = await swept(scene)
    assert erased[RetentionSubject.NOTIFICATIONS] == told
    assert erased[RetentionSubject.READ_LOG] == 1
    assert erased[RetentionSubject.SESSIONS] == 1
    assert (await scene.one("SELECT count(*) AS n FROM sessions")).n == sessions - 1
    readings = await scene.rows("SELECT id, explanation, actor_id FROM read_log")
    assert {row.id: row.explanation is None for row in readings if row.id == young} == {young: False}
    assert sorted(row.explanation is None for row in readings) == [False, True]
    events = await scene.rows("SELECT data FROM audit_events WHERE stream = 'retention' ORDER BY seq")
    assert {event.data["subject"] for event in events} == {"notifications", "read_log", "sessions"}
    assert not await swept(scene)


async def _read(scene: Scene, *, at: datetime) -> UUID:
    seat = Seat(role=Role.VILLAGE_OPERATOR, office_id=new_id(), area_code="32.06.13.2001")
    by = user("operator.taraju")
    reader = Reader(user_id=by, seat=seat, purpose=Purpose.FIELD_VISIT, explanation="Kunjungan rumah")
    async with scene.app.transaction(Viewer(name=str(by), areas=(seat.area_code,))) as connection:
        read = Read(subject="household", area_code=seat.area_code, household_id=household_of(0).id)
        (reading,) = await log_readings(connection, reader, [read], at=at, vault=VAULT)
    return reading


async def test_files_of_a_closed_case_go_with_their_contents(counter: Counter) -> None:
    scene = counter.office.scene
    desk = await counter.desk_of("operator.taraju")
    evidence_id = await desk.uploaded(photo(), type="kk")
    update_id = UUID((await submit(desk, proposal(file(evidence_id)))).json()["id"])
    same = await desk.uploaded(photo(), type="ktp")
    with pytest.raises(DBAPIError, match="not erased before its time"):
        async with scene.worker.transaction(SYSTEM) as connection:
            await connection.execute(text("UPDATE evidence SET erased_at = now(), capture = NULL"))
    await rejected(Play(scene), update_id)
    sweep = sweep_of(scene, counter.archive)
    assert (await sweep.sweep(datetime.now(UTC)))[EVIDENCE] == 1
    assert len(counter.files("sha256")) == 2, "another file has the same content"
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(
            text("UPDATE evidence SET erased_at = now(), capture = NULL WHERE id = :id"), {"id": UUID(same)}
        )
    assert (await desk.client.get(f"/v1/evidence/{evidence_id}")).json()["code"] == "evidence_erased"
    papers = (await desk.client.get(f"/v1/updates/{update_id}/evidence")).json()
    assert papers == {"items": []}
    await _reads_erased(desk.client, update_id)
    async with OwnerDatabase(scene.urls.migrator).transaction() as connection:
        for stream in (f"update:{update_id}", f"evidence:{evidence_id}"):
            assert not (await verify_one(connection, stream)).flaws
        assert not [report async for report in replay_cases(connection) if report.differences]


async def _reads_erased(client: Any, update_id: UUID) -> None:
    """Every page of the case answers, and says that its content was erased."""
    case = (await client.get(f"/v1/updates/{update_id}")).json()
    assert (case["change"], case["evidence"], case["identity"]) == (None, [], [])
    assert case["erased_at"] is not None
    assert case["decisions"][-1]["note"] is None
    unmask = {"purpose": "inspection", "explanation": "Pemeriksaan rutin"}
    gone = [
        await client.get(f"/v1/updates/{update_id}/diff"),
        await client.post(f"/v1/updates/{update_id}/unmask", json=unmask),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in gone] == [(410, "content_erased")] * 2
    for page in ("timeline", "audit", "evidence"):
        assert (await client.get(f"/v1/updates/{update_id}/{page}")).status_code == 200
    assert (await client.get("/v1/updates")).status_code == 200


async def _acted(scene: Scene, stream: str, *, area_code: str | None, ago: timedelta) -> None:
    """Somebody did something from an address."""
    origin = ActOrigin(means=Means.SESSION, traces=Traces(address="203.0.113.9"))
    entry = Entry(type=AuditType.UPDATE_COMMENTED)
    with acting_from(origin, lambda: VAULT.fields):
        async with scene.as_owner() as connection:
            await trail.record(connection, stream, [entry], at=datetime.now(UTC) - ago, area_code=area_code)


async def test_from_where_acts_came_goes_after_its_period_and_the_trail_is_whole(play: Play) -> None:
    scene, village = play.scene, "32.06.13.2001"
    held, nobody = await old_case(play), stream_of_account(user("kadis"))
    await _hold(scene, held)
    for stream, area_code, days in (
        (f"update:{held}", village, 400),
        ("update:old", village, 366),
        ("update:young", village, 364),
        ("update:policy", "32.05.01.2001", 201),
        (nobody, None, 366),
    ):
        await _acted(scene, stream, area_code=area_code, ago=timedelta(days=days))
    assert await due(scene, RetentionSubject.ORIGINS) == Due(2, 1)
    shorter = (DEFAULT_RETENTION[-1].model_copy(update={"period": timedelta(days=200)}),)
    await scene.publish(default_policy(area_code="32.05").model_copy(update={"retention": shorter}))
    assert await due(scene, RetentionSubject.ORIGINS) == Due(3, 1)
    assert (await swept(scene))[RetentionSubject.ORIGINS] == 3
    left = await scene.rows("SELECT stream FROM audit_origins WHERE at < now() - interval '1 day' ORDER BY at")
    assert [row.stream for row in left] == [f"update:{held}", "update:young"]
    (told,) = await scene.rows("SELECT data FROM audit_events WHERE data ->> 'subject' = 'origins'")
    assert told.data == {"subject": "origins", "rows": 3}
    async with OwnerDatabase(scene.urls.migrator).transaction() as connection:
        for stream in ("update:old", nobody):
            assert not (await verify_one(connection, stream)).flaws


async def test_a_policy_says_how_long(play: Play) -> None:
    scene = play.scene
    await old_case(play, ago=timedelta(days=300))
    assert await due(scene, CONTENTS) == Due(0, 0)
    shorter = tuple(
        rule.model_copy(update={"period": timedelta(days=200)}) if rule.subject is CONTENTS else rule
        for rule in DEFAULT_RETENTION
    )
    await scene.publish(default_policy(area_code="32.06").model_copy(update={"retention": shorter}))
    assert await due(scene, CONTENTS) == Due(1, 0)


async def test_the_database_falls_back_on_the_same_proposals(scene: Scene) -> None:
    async with scene.as_owner() as connection:
        await connection.execute(text("ALTER TABLE policies DISABLE TRIGGER USER"))
        await connection.execute(text("UPDATE policies SET document = document - 'retention'"))
    for subject in RetentionSubject:
        row = await scene.one("SELECT kawal_period('99', :of) AS period", of=subject.value)
        assert row.period == period_of((), subject), subject
    assert Tally(rule.subject for rule in DEFAULT_RETENTION) == Tally(RetentionSubject)
    assert set(OF_ROWS) < set(RetentionSubject)
