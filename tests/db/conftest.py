"""A registry with something in every table, whoever may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    AuditOrigin,
    ClockOrderRecord,
    Comment,
    Delegation,
    DraftRevision,
    EvidenceUpload,
    ForeignIdentity,
    LegalHold,
    PolicyAnswer,
    PolicyComment,
    PolicyDraft,
    PolicyTurn,
    RoundMove,
    UnmaskRequest,
)
from db.repositories.api_keys import NewKey, add_key, add_secret
from db.repositories.baselines import keep_piece, read_piece
from db.repositories.clocks import add_job
from db.repositories.disclosure import Read, Reader, log_readings
from db.repositories.evidence import EvidenceRow, add_evidence, bind_evidence
from db.repositories.rounds import read_round, roll_case
from db.repositories.signoffs import open_step
from db.repositories.tallies import lock_tally
from db.repositories.trail import Doer
from db.repositories.work_lists import keep_list
from devstack.demo_people import demo_id
from devstack.postgres import PostgresServer
from devstack.seed import World
from domain.authority import Permission, Seat
from domain.baseline import BaselineFacts
from domain.calendar import WorkingCalendar
from domain.changes import IdentityCorrection
from domain.disclosure import Purpose
from domain.evidence import EvidenceRef, EvidenceType, Naming
from domain.ids import new_id
from domain.keyring import generate
from domain.policy import default_policy
from domain.sessions import Lifetime, Origin, SessionKind
from domain.signing import SigningRing
from domain.signoff_clocks import signoff_clock
from domain.signoffs import Next, SignoffStep
from domain.targets import TargetReason
from domain.vocabulary import Role, Stage
from domain.worklist import Capacity, Listed
from duties.notary import Notary
from services.people.accounts import UserChange, alter_user, lock_user
from services.sessions import begin_session
from tests.casework.play import Play
from tests.conftest import SEEDED
from tests.db.looking import HOLDER, TARAJU, at_desk, seeing
from tests.db.waiting import wait_for_others
from tests.evaluations import measured
from tests.ground import located, looked
from tests.privacy.requests import a_request_with_its_export
from tests.rounds import dates, planned, today
from tests.scene import SYSTEM, VAULT, Scene, household_of, user
from tests.workflows.stack import floor_area

NIK = "3206134101900001"


@pytest.fixture(scope="module")
async def filled(postgres_server: PostgresServer, seeded_template: World) -> AsyncIterator[Scene]:
    """Something of one village in every table; shared, since nothing here may change it."""
    urls = await postgres_server.create_database("filled", template=SEEDED)
    scene = Scene.at(urls, seeded_template.policy_version_id)
    await _fill(scene)
    yield scene
    await scene.close()
    await postgres_server.drop_database("filled")


async def _fill(scene: Scene) -> None:
    play = Play(scene)
    update_id = await play.begin(floor_area(30))
    task_id = (await play.case(update_id)).task
    await play.forward_to(update_id, Stage.VERIFICATION)
    await play.milestone(update_id, at=(await play.case(update_id)).due_at)
    await play.through(update_id)
    await play.begin(_with_numbers(), place=1)
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(
            text(
                """
                INSERT INTO clock_intervals (id, task_id, update_id, area_code, from_at, to_at, cause)
                SELECT :id, id, update_id, area_code, opened_at, opened_at, 'area_suspended' FROM tasks WHERE id = :task
                """,
            ),
            {"id": new_id(), "task": task_id},
        )
    async with scene.as_owner() as connection:
        job = await add_job(connection, area_code=TARAJU, cause="order", at=datetime.now(UTC))
        await connection.execute(_suspended(job))
    await _roll_over(scene, update_id)
    await measured(scene, known_until=play.later())
    await _disclose(scene)
    await _keep_a_file(scene, update_id)
    await _comment(scene, update_id)
    await wait_for_others(scene, update_id, task_id)
    await _hold(scene, update_id)
    await _list_in_minutes(scene, update_id)
    await looked(scene, update_id)
    await located(scene)
    await a_request_with_its_export(scene)
    await scene.ministry_answers(update_id, "rejected", receipt_no="KS-1", reason="quota")
    await _consult(scene)
    await _administer(scene)
    await _sign_in(scene)
    await _sign_the_trail(scene)


def _suspended(job: int) -> Any:
    """A suspension of the village that was void from the beginning, so that it moves no clock."""
    return insert(ClockOrderRecord).values(
        id=new_id(),
        version=1,
        job_id=job,
        kind="suspension",
        area_code=TARAJU,
        number="360/1/2026",
        reason="flood",
        from_at=datetime.now(UTC),
        void=True,
        entered_by=user("kabid"),
        entered_role=Role.REGENCY_SUPERVISOR.value,
        office_id=demo_id("office", "dinsos"),
        entered_at=datetime.now(UTC),
    )


async def _roll_over(scene: Scene, update_id: UUID) -> None:
    """A round of the regency, whose cut-off a case missed."""
    now = datetime.now(UTC)
    opens = today(now) - timedelta(days=40)
    round_id = await planned(scene, dates(opens, opens + timedelta(days=20)), at=now)
    async with scene.worker.transaction(SYSTEM) as connection:
        await roll_case(connection, update_id, area_code=TARAJU, from_round=round_id, to_round=None, at=now)
        taken = await read_round(connection, round_id)
        piece = await read_piece(connection, taken, None, as_of=now, at_most=1, old_after=24, vault=VAULT)
        facts = BaselineFacts(members=1, data_of=opens, age_days=0, verified=False, completeness=0)
        await keep_piece(connection, round_id, [(each, facts) for each in piece.households])
        await _list_work(connection, round_id, piece.households[0].household.id, at=now)
    await _move_by_hand(scene, round_id)


async def _list_work(connection: AsyncConnection, round_id: UUID, household_id: UUID, *, at: datetime) -> None:
    """The work list of the village, of one household, and a move of it that somebody made."""
    listed = [Listed(household_id, (TargetReason.OLD,), 40, today(at))]
    await keep_list(connection, round_id, TARAJU, listed, capacity=Capacity(1, 10, 100), at=at)
    policy = default_policy()
    assert policy.signoffs is not None
    clock = signoff_clock(
        policy.signoffs.proposal,
        at,
        calendar=WorkingCalendar(area_code="*", version=1, zone="Asia/Jakarta"),
        orders=(),
        extra_days=0,
        now=at,
    )
    following = Next(SignoffStep.PROPOSAL)
    await open_step(connection, policy.signoffs, following, round_id=round_id, area_code=TARAJU, clock=clock, at=at)


async def _move_by_hand(scene: Scene, round_id: UUID) -> None:
    operator = user("operator.taraju")
    async with seeing(scene.app, str(operator), TARAJU) as connection:
        await connection.execute(
            insert(RoundMove).values(
                id=new_id(),
                round_id=round_id,
                household_id=new_id(),
                area_code=TARAJU,
                from_position=2,
                to_position=1,
                reason="one_visit",
                moved_by=operator,
                moved_role=Role.VILLAGE_OPERATOR.value,
                office_id=demo_id("office", f"desa/{TARAJU}"),
                moved_at=datetime.now(UTC),
            ),
        )


async def _comment(scene: Scene, update_id: UUID) -> None:
    """The operator has said something about the case."""
    operator = user("operator.taraju")
    async with seeing(scene.app, str(operator), TARAJU) as connection:
        await connection.execute(
            insert(Comment).values(
                id=new_id(),
                update_id=update_id,
                area_code=TARAJU,
                text=b"",
                author_id=operator,
                author_role=Role.VILLAGE_OPERATOR.value,
                office_id=demo_id("office", f"desa/{TARAJU}"),
                written_at=datetime.now(UTC),
            ),
        )


async def _consult(scene: Scene) -> None:
    """A draft of the regency's policy is shown, and somebody has commented on it and was answered."""
    at, draft_id, comment_id = datetime.now(UTC), new_id(), new_id()
    dinsos, planner = demo_id("office", "dinsos"), user("perencana")
    shared = {"draft_id": draft_id, "revision": 1, "area_code": "32.06"}
    rows = (
        insert(PolicyDraft).values(
            id=draft_id,
            area_code="32.06",
            office_id=dinsos,
            drafted_by=planner,
            drafted_at=at,
            status="in_consultation",
            revision=1,
            opened_at=at,
            closes_at=at,
            deadline={},
            version=2,
        ),
        insert(DraftRevision).values(
            **shared, base_id=scene.policy_version_id, document={}, trial={}, written_by=planner, written_at=at
        ),
        insert(PolicyComment).values(
            **shared,
            id=comment_id,
            from_area=TARAJU,
            text="-",
            author_id=user("operator.taraju"),
            role=Role.VILLAGE_OPERATOR.value,
            office_id=demo_id("office", f"desa/{TARAJU}"),
            at=at,
        ),
        insert(PolicyAnswer).values(
            comment_id=comment_id,
            area_code="32.06",
            verdict="noted",
            reason="-",
            answered_by=planner,
            office_id=dinsos,
            at=at,
        ),
        insert(PolicyTurn).values(version_id=scene.policy_version_id, turn="took_effect", area_code="*", at=at),
    )
    async with scene.as_owner() as connection:
        for row in rows:
            await connection.execute(row)


async def _hold(scene: Scene, update_id: UUID) -> None:
    """The case is held, whatever its age."""
    operator = user("operator.taraju")
    async with seeing(scene.app, str(operator), TARAJU) as connection:
        await connection.execute(
            insert(LegalHold).values(
                id=new_id(),
                update_id=update_id,
                area_code=TARAJU,
                ground="audit",
                explanation=b"",
                placed_by=operator,
                placed_at=datetime.now(UTC),
            ),
        )


async def _list_in_minutes(scene: Scene, update_id: UUID) -> None:
    """The minutes that every seeded village has list the case."""
    listed = """
        INSERT INTO minutes_cases (minutes_id, update_id, area_code, place, outcome, act_id)
        SELECT m.id, :update, m.area_code, 1, 'forward', (SELECT id FROM idempotency_keys LIMIT 1)
        FROM minutes m WHERE m.area_code = :area
    """
    async with scene.as_owner() as connection:
        await connection.execute(text(listed), {"update": update_id, "area": TARAJU})


async def _disclose(scene: Scene) -> None:
    """Somebody has read a household in the clear, and asked to read more of them."""
    operator, at = user("operator.taraju"), datetime.now(UTC)
    seat = Seat(role=Role.VILLAGE_OPERATOR, office_id=new_id(), area_code=TARAJU)
    reader = Reader(user_id=operator, seat=seat, purpose=Purpose.FIELD_VISIT, explanation="Kunjungan rumah")
    read = Read(subject="household", area_code=TARAJU, household_id=household_of(0).id)
    async with seeing(scene.app, str(operator), TARAJU) as connection:
        await log_readings(connection, reader, [read], at=at, vault=VAULT)
        await connection.execute(
            insert(UnmaskRequest).values(
                id=new_id(),
                area_code=TARAJU,
                purpose=Purpose.FIELD_VISIT.value,
                explanation=b"",
                rows=1,
                hours=1,
                requested_by=operator,
                requested_at=at,
            ),
        )


async def _keep_a_file(scene: Scene, update_id: UUID) -> None:
    """A file stands behind the case."""
    operator, at, paper_id = user("operator.taraju"), datetime.now(UTC), new_id()
    row = EvidenceRow(
        id=paper_id,
        area_code=TARAJU,
        type="kk",
        uploaded_by=operator,
        kept_at=at,
        received_sha256=b"r",
        sha256=b"s",
        size=1,
        media_type="image/png",
        width=1,
        height=1,
        pages=None,
        signed=False,
        scanned=False,
        thumbnail_sha256=None,
        thumbnail_size=None,
        capture=None,
    )
    named = [EvidenceRef(type=EvidenceType.KK, evidence_id=paper_id)]
    naming = Naming(operator, TARAJU, update_id)
    async with seeing(scene.app, str(operator), TARAJU) as connection:
        await add_evidence(connection, row)
        await bind_evidence(connection, named, naming, update_id=update_id, revision=1, at=at)


def _with_numbers() -> IdentityCorrection:
    household = household_of(1)
    assert household.head is not None
    return IdentityCorrection(member_id=household.head.id, nik="3206131708900009")


async def _administer(scene: Scene) -> None:
    """Two accounts share a NIK, a machine has a key, an issuer vouches, and somebody is on leave."""
    admin, now, key_id = user("admin"), datetime.now(UTC), new_id()
    async with at_desk(scene, str(admin), "32.06") as connection:
        for name in ("operator.taraju", "puskesos.taraju"):
            change = UserChange(nik=NIK)
            await alter_user(
                connection, await lock_user(connection, user(name)), change, vault=VAULT, by=Doer(user_id=admin), at=now
            )
        key = NewKey(
            id=key_id,
            user_id=user(HOLDER),
            name="loket",
            area_code=TARAJU,
            scopes=(Permission.UPDATES_READ,),
            requests_per_minute=None,
            expires_at=now + timedelta(days=1),
            created_by=admin,
        )
        await add_key(connection, key, at=now)
        await add_secret(connection, key_id, b"digest of a secret", at=now)
        bound = {"id": new_id(), "user_id": user(HOLDER), "issuer": "https://sso.example", "subject": "1"}
        await connection.execute(insert(ForeignIdentity).values(bound | {"bound_at": now, "bound_by": admin}))
        await connection.execute(
            insert(Delegation).values(
                id=new_id(),
                membership_id=demo_id("membership", f"{HOLDER}/{Role.PUSKESOS_OFFICER}/{TARAJU}"),
                area_code=TARAJU,
                holder_id=user(HOLDER),
                delegate_id=user("puskesos.cikubang"),
                valid_from=now,
                valid_to=now + timedelta(days=3),
                reason="annual_leave",
                created_by=admin,
                created_at=now,
            ),
        )


async def _sign_in(scene: Scene) -> None:
    """Somebody signs in after having failed to, and sends a part of a file."""
    holder, now = user(HOLDER), datetime.now(UTC)
    lifetime = Lifetime(idle=timedelta(days=1), longest=timedelta(days=7))
    origin = {"stream": "update:x", "commitment": b"c", "area_code": TARAJU, "at": now, "sealed": b"s"}
    async with seeing(scene.app, str(holder), TARAJU) as connection:
        await connection.execute(insert(AuditOrigin).values(origin))
        await lock_tally(connection, "account:somebody", at=now)
        await begin_session(connection, holder, kind=SessionKind.TOKEN, lifetime=lifetime, origin=Origin(), at=now)
        await connection.execute(
            insert(EvidenceUpload).values(
                id=new_id(),
                area_code=TARAJU,
                type="kk",
                uploaded_by=holder,
                length=1,
                parts=[],
                created_at=now,
                expires_at=now,
            ),
        )


async def _sign_the_trail(scene: Scene) -> None:
    ring = SigningRing.parse(generate(key_id="c1"), setting="checkpoint")
    signed = await Notary(scene.worker, ring, every=timedelta(hours=1)).sign_if_due(datetime.now(UTC))
    assert signed is not None
