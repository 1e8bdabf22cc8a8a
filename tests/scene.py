"""The stage that cases are played on in tests: a seeded database, and people who submit and ask things of a case."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from pydantic import JsonValue
from sqlalchemy import Row, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import IdempotencyKey, MinistryAnswer, MinutesRecord, OutboxMessage, PolicyVersion, Update
from db.owner import OwnerDatabase
from db.repositories import trail
from db.repositories.cases import RevisionRecord, add_revision
from db.repositories.numbers import index_update
from db.repositories.registry import read_household, write_households
from db.repositories.rules import Rules
from db.repositories.sessions import NewSession, add_session
from db.repositories.trail import Entry, stream_of_update
from db.session import Database, Viewer
from db.vault import Vault
from devstack.demo_people import TARAJU, VILLAGES, demo_id
from devstack.postgres import DatabaseUrls
from devstack.seed import World, invented, seed
from domain.audit import AuditType
from domain.changes import Change, numbers_of
from domain.decisions import Minutes
from domain.evidence import EvidenceRef
from domain.household import Household
from domain.ids import new_id, new_tracking_code
from domain.keyring import IndexRing, KeyRing
from domain.minutes import PaperWords, Signature, paper_context
from domain.policy import Policy, canonical_json
from domain.requests import CaseRequest, request_context
from domain.sessions import Origin, SessionKind
from domain.vocabulary import Role, Status
from runtime.evidence.archive import Archive
from runtime.evidence.examination import Examination
from runtime.evidence.objects import FolderObjects
from runtime.evidence.room import EvidenceRoom, Limits
from runtime.evidence.scanner import NoScanner

FIELD_KEYS = "k1:aGVyZSBpcyBhIGtleSB0aGF0IG9ubHkgdGVzdHMgdXM="
INDEX_KEYS = "i1:YW5vdGhlciBrZXkgdGhhdCBvbmx5IHRlc3RzIHVzZSE="
VAULT = Vault(KeyRing.parse(FIELD_KEYS, setting="fields"), IndexRing.parse(INDEX_KEYS, setting="index"))
HOUSEHOLDS = 8
"""Households of each seeded village; the civil registry knows the first eleven of a village as they are believed."""

SYSTEM = Viewer.system("test")

THIS_YEAR = datetime.now(UTC).year
MINUTES = Minutes(type="sptjm", number=f"141/SPTJM/{THIS_YEAR}", held_on=date(THIS_YEAR, 12, 31))
"""An SPTJM that each seeded village has, for all of its cases: a deliberation is then decided by naming it."""
MINUTES_JSON = MINUTES.model_dump(mode="json", exclude={"attended"})


async def seed_world(urls: DatabaseUrls) -> World:
    """The demo's people and rules, and a few households of three villages, as if they had been there for a month."""
    a_month_ago = datetime.now(UTC).date() - timedelta(days=30)
    world = await seed(
        urls.migrator,
        vault=VAULT,
        password_hash="nobody logs in",
        today=a_month_ago,
        households_per_village=HOUSEHOLDS,
        villages=(TARAJU, "32.06.13.2002", "32.06.13.2003"),
    )
    await _sign_in(urls, world)
    await _answer_for_villages(urls, world)
    return world


async def _answer_for_villages(urls: DatabaseUrls, world: World) -> None:
    """The head of each village has signed an SPTJM for all of its cases."""
    async with OwnerDatabase(urls.migrator).transaction() as connection:
        heads = {village: f"kades.{name.lower()}" for village, name in VILLAGES.items()}
        for village, head_name in heads.items():
            if head_name not in world.users:
                continue
            minutes_id, at = new_id(), datetime.now(UTC)
            head = Signature(role=Role.VILLAGE_HEAD, name="Kepala Desa")
            await connection.execute(
                insert(MinutesRecord).values(
                    id=minutes_id,
                    area_code=village,
                    type=MINUTES.type,
                    number=MINUTES.number,
                    year=MINUTES.held_on.year,
                    held_on=MINUTES.held_on,
                    covers="village",
                    attendance=[],
                    words=VAULT.seal(PaperWords(signed_by=(head,)), context=paper_context(minutes_id)),
                    recorded_by=user(head_name),
                    role=Role.VILLAGE_HEAD.value,
                    office_id=demo_id("office", f"desa/{village}"),
                    recorded_at=at,
                    finished_at=at,
                ),
            )


async def _sign_in(urls: DatabaseUrls, world: World) -> None:
    """Give each of the demo's people a session that outlives every test, however far its clock is moved."""
    now, far = datetime.now(UTC), datetime(2100, 1, 1, tzinfo=UTC)
    async with OwnerDatabase(urls.migrator).transaction() as connection:
        for user_id in world.users.values():
            session = NewSession(
                id=session_of(user_id),
                user_id=user_id,
                kind=SessionKind.TOKEN,
                expires_at=far,
                ends_at=far,
                origin=Origin(),
            )
            await add_session(connection, session, at=now)


def no_room() -> EvidenceRoom:
    """For tests that handle no files: nothing can be written to where it would keep them."""
    archive = Archive(FolderObjects(Path("/dev/null/evidence")), VAULT.fields)
    return EvidenceRoom(archive, Examination(NoScanner()), Limits())


def user(username: str) -> UUID:
    return demo_id("user", username)


def session_of(user_id: UUID) -> UUID:
    """The session in which a demo person of the seeded database is signed in."""
    return uuid5(user_id, "session")


def household_of(place: int = 0, *, village: str = TARAJU) -> Household:
    """An invented household as it was seeded."""
    return invented(village, count=HOUSEHOLDS)[place]


@dataclass(frozen=True, slots=True)
class Scene:
    """A seeded database of a test's own, seen through its accounts."""

    urls: DatabaseUrls
    app: Database
    worker: Database
    migrator: Database
    policy_version_id: UUID

    @classmethod
    def at(cls, urls: DatabaseUrls, policy_version_id: UUID) -> Scene:
        return cls(
            urls=urls,
            app=Database(urls.app, application="test-app"),
            worker=Database(urls.worker, application="test-worker"),
            migrator=Database(urls.migrator, application="test-owner"),
            policy_version_id=policy_version_id,
        )

    @property
    def rules(self) -> Rules:
        return Rules(fresh_for=0)

    async def close(self) -> None:
        await self.app.close()
        await self.worker.close()
        await self.migrator.close()

    @asynccontextmanager
    async def as_owner(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction of the owner of the tables."""
        async with self.migrator.transaction(SYSTEM) as connection:
            await connection.execute(text("SET LOCAL ROLE kawal_owner"))
            yield connection

    async def submit(
        self,
        change: Change,
        *,
        household: Household | None = None,
        by: str = "operator.taraju",
        area_code: str = TARAJU,
        evidence: Sequence[EvidenceRef] = (),
        policy_version_id: UUID | None = None,
        at: datetime | None = None,
    ) -> UUID:
        """Write an update down as a submission does, with the message that starts it."""
        update_id, at = new_id(), at or datetime.now(UTC)
        async with self.app.transaction(Viewer(name=str(user(by)), areas=(area_code,))) as connection:
            await connection.execute(
                insert(Update).values(
                    id=update_id,
                    tracking_code=new_tracking_code(),
                    area_code=area_code,
                    kind=change.kind.value,
                    household_id=household and household.id,
                    base_version=household and household.version,
                    policy_version_id=policy_version_id or self.policy_version_id,
                    status=Status.RECEIVED.value,
                    revision=1,
                    submitted_by=user(by),
                    submitted_at=at,
                    version=1,
                ),
            )
            record = RevisionRecord(1, change, tuple(evidence), user(by), at)
            await add_revision(connection, update_id, record, area_code=area_code, vault=VAULT)
            await index_update(connection, update_id, numbers_of(change), area_code=area_code, vault=VAULT)
            policy = str(policy_version_id or self.policy_version_id)
            told: dict[str, JsonValue] = {"kind": change.kind.value, "policy": policy, "revision": 1}
            submitted = Entry(type=AuditType.UPDATE_SUBMITTED, status=Status.RECEIVED, data=told)
            await trail.record(connection, stream_of_update(update_id), [submitted], at=at, area_code=area_code)
            await connection.execute(
                insert(OutboxMessage).values(topic="start_update", subject_id=update_id, payload={}, available_at=at),
            )
        return update_id

    async def ask(
        self,
        update_id: UUID,
        by: str,
        request: CaseRequest,
        *,
        act_id: UUID | None = None,
    ) -> UUID:
        """Write down what a person asks of a case, as a service does before the engine hears of it."""
        act_id = act_id or new_id()
        async with self.app.transaction(Viewer(name=str(user(by)), areas=("32.06",))) as connection:
            await connection.execute(
                insert(IdempotencyKey).values(
                    id=act_id,
                    actor_id=user(by),
                    route="test",
                    key=str(act_id),
                    body_hash=b"",
                    request=VAULT.seal(request, context=request_context(act_id)),
                    created_at=datetime.now(UTC),
                    update_id=update_id,
                ),
            )
        return act_id

    async def ministry_answers(
        self,
        update_id: UUID,
        answer: str,
        *,
        receipt_no: str,
        reason: str | None = None,
    ) -> UUID:
        """Write an answer of the Ministry down as its callback does, with the message that tells the case."""
        answer_id, at = new_id(), datetime.now(UTC)
        async with self.app.transaction(SYSTEM) as connection:
            await connection.execute(
                insert(MinistryAnswer).values(
                    id=answer_id,
                    webhook_id=f"msg_{answer_id}",
                    update_id=update_id,
                    area_code=TARAJU,
                    receipt_no=receipt_no,
                    answer=answer,
                    reason=reason,
                    received_at=at,
                ),
            )
            await connection.execute(
                insert(OutboxMessage).values(
                    topic="signal_ministry_answer",
                    subject_id=update_id,
                    payload={"answer_id": str(answer_id)},
                    available_at=at,
                ),
            )
        return answer_id

    async def publish(self, policy: Policy) -> UUID:
        """Publish a further policy; its version."""
        version_id, at = new_id(), datetime.now(UTC)
        async with self.as_owner() as connection:
            number = await connection.scalar(text("SELECT count(*) + 1 FROM policies"))
            await connection.execute(
                insert(PolicyVersion).values(
                    id=version_id,
                    area_code=policy.area_code,
                    number=number,
                    document=policy.model_dump(mode="json"),
                    digest=str(hash(canonical_json(policy))),
                    published_at=at,
                    effective_at=at,
                ),
            )
        return version_id

    async def household(self, household_id: UUID) -> Household:
        """A household as the registry believes it now."""
        async with self.worker.transaction(SYSTEM) as connection:
            return await read_household(connection, household_id, vault=VAULT)

    async def change_meanwhile(self, household: Household, **changes: Any) -> Household:
        """Somebody else's update is applied to a household."""
        current = await self.household(household.id)
        changed = current.model_copy(update={**changes, "version": current.version + 1})
        async with self.worker.transaction(SYSTEM) as connection:
            await write_households(connection, [changed], update_id=None, at=datetime.now(UTC), vault=VAULT)
        return changed

    async def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        """What the owner of the tables reads."""
        async with self.as_owner() as connection:
            return list(await connection.execute(text(statement), values))

    async def one(self, statement: str, **values: Any) -> Row[Any]:
        """The one row that the statement finds."""
        (row,) = await self.rows(statement, **values)
        return row

    async def case(self, update_id: UUID) -> Row[Any]:
        """The case row, with its open task if it has one (`task`, `due_at`, `next_milestone_at`, `receipt_no`)."""
        return await self.one(
            """
            SELECT u.*, t.id AS task, t.stage AS task_stage, t.due_at, t.next_milestone_at, t.receipt_no,
                   t.digests_sent, t.opened_at, t.deadline
            FROM updates u LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open' WHERE u.id = :id
            """,
            id=update_id,
        )

    async def events(self, update_id: UUID) -> list[Row[Any]]:
        """The audit trail of a case."""
        return await self.rows(
            "SELECT * FROM audit_events WHERE stream = :stream ORDER BY seq",
            stream=stream_of_update(update_id),
        )
