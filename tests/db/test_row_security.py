"""Authority in the database: who sees which rows, who may write what, and what nobody may change."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Base, Comment, LegalHold, UnmaskRequest
from db.repositories.disclosure import Read, Reader, log_readings
from db.repositories.evidence import EvidenceRow, add_evidence, bind_evidence
from db.session import Database, Viewer
from devstack.demo_people import demo_id
from devstack.postgres import PostgresServer
from devstack.seed import World
from domain.authority import Seat
from domain.changes import IdentityCorrection
from domain.disclosure import Purpose
from domain.evidence import EvidenceRef, EvidenceType, Naming
from domain.ids import new_id
from domain.vocabulary import Role, Stage
from tests.casework.play import Play
from tests.conftest import SEEDED
from tests.scene import SYSTEM, VAULT, Scene, household_of, user
from tests.workflows.stack import floor_area

TARAJU, CIKUBANG = "32.06.13.2001", "32.06.13.2002"
AREA_TABLES = (
    "updates",
    "update_revisions",
    "identity_results",
    "identity_digests",
    "tasks",
    "task_grants",
    "decisions",
    "escalations",
    "clock_intervals",
    "ministry_answers",
    "notifications",
    "households",
    "household_members",
    "household_versions",
    "read_log",
    "unmask_requests",
    "legal_holds",
    "evidence",
    "update_evidence",
    "comments",
)
APPEND_ONLY = (
    "update_revisions",
    "decisions",
    "escalations",
    "ministry_answers",
    "household_versions",
    "policies",
    "calendars",
    "audit_events",
    "read_log",
    "update_evidence",
    "comments",
)
CHANGES = ("UPDATE {} SET area_code = area_code", "DELETE FROM {}", "TRUNCATE {} CASCADE")


@pytest.fixture(scope="module")
async def filled(postgres_server: PostgresServer, seeded_template: World) -> AsyncIterator[Scene]:
    """Something of one village in every table that belongs to an area; shared, since nothing here may change it."""
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
    await _disclose(scene)
    await _keep_a_file(scene, update_id)
    await _comment(scene, update_id)
    await _hold(scene, update_id)


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


def _with_numbers() -> IdentityCorrection:
    household = household_of(1)
    assert household.head is not None
    return IdentityCorrection(member_id=household.head.id, nik="3206131708900009")


@asynccontextmanager
async def seeing(database: Database, actor: str, *areas: str) -> AsyncGenerator[AsyncConnection]:
    async with database.transaction(Viewer(name=actor, areas=areas)) as connection:
        yield connection


async def count(connection: AsyncConnection, table: str, where: str = "true") -> int:
    return await connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0  # noqa: S608 - our own names


async def test_every_table_has_forced_row_security_and_a_policy(filled: Scene) -> None:
    tables = await filled.rows(
        """
        SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
               (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
        FROM information_schema.tables t JOIN pg_class c ON c.relname = t.table_name
        WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND t.table_name <> 'alembic_version'
        """,
    )
    assert {table.name for table in tables} == set(Base.metadata.tables)
    assert [table.name for table in tables if not table.forced] == []
    assert [table.name for table in tables if not table.policies] == []


async def test_no_account_owns_a_table_nor_gets_past_row_security(filled: Scene) -> None:
    roles = await filled.rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'kawal%' ORDER BY rolname",
    )
    assert [role.rolname for role in roles if role.rolsuper or role.rolbypassrls] == []
    owners = await filled.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert [row.tableowner for row in owners] == ["kawal_owner"]
    login = await filled.one("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'kawal_owner'")
    assert not login.rolcanlogin


@pytest.mark.parametrize("table", AREA_TABLES)
async def test_village_sees_its_own_rows_and_nobody_elses(filled: Scene, table: str) -> None:
    total = (await filled.one(f"SELECT count(*) AS n FROM {table}")).n  # noqa: S608 - our own names
    own = (await filled.one(f"SELECT count(*) AS n FROM {table} WHERE area_code = '{TARAJU}'")).n  # noqa: S608
    assert own > 0, "a table without rows would prove nothing"
    nobody = str(new_id())
    async with seeing(filled.app, nobody) as connection:
        assert await count(connection, table) == 0, "without an area"
    async with seeing(filled.app, nobody, CIKUBANG) as connection:
        assert await count(connection, table, f"area_code = '{TARAJU}'") == 0, "from the next village"
    for areas in ((TARAJU,), ("32.06.13",), ("32.06",), ("32",), ("*",), (CIKUBANG, TARAJU)):
        async with seeing(filled.app, nobody, *areas) as connection:
            assert await count(connection, table, f"area_code = '{TARAJU}'") == own, areas
    async with seeing(filled.app, nobody, "*") as connection:
        assert await count(connection, table) == total
    for alike in ("32.06.1", "32.06.13.200", "3", "32.0"):
        async with seeing(filled.app, nobody, alike) as connection:
            assert await count(connection, table) == 0, alike


@pytest.mark.parametrize("table", AREA_TABLES)
async def test_connection_that_was_never_told_who_acts_sees_nothing_also_after_a_commit(
    filled: Scene,
    table: str,
) -> None:
    """After a commit the setting is an empty string and not null: neither may show anything."""
    for database in (filled.app, filled.worker):
        async with database.engine.connect() as connection:
            assert await count(connection, table) == 0
            await connection.rollback()
            await connection.execute(text("SELECT set_config('kawal.actor', 'system:x', true)"))
            await connection.execute(text("SELECT set_config('kawal.areas', '*', true)"))
            await connection.commit()
            assert await count(connection, table) == 0


@pytest.mark.parametrize("table", AREA_TABLES)
async def test_worker_needs_to_act_for_the_system(filled: Scene, table: str) -> None:
    async with seeing(filled.worker, str(user("operator.taraju")), "*") as connection:
        assert await count(connection, table) == 0
    async with seeing(filled.worker, "system:worker") as connection:
        assert await count(connection, table) > 0


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", CHANGES)
async def test_append_only_rows_are_refused_every_change_even_to_their_owner(
    filled: Scene,
    table: str,
    statement: str,
) -> None:
    with pytest.raises(DBAPIError, match=r"are never changed or removed"):
        await filled.rows(statement.format(table) + " -- returns nothing")


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_accounts_may_not_change_append_only_rows_at_all(filled: Scene, table: str) -> None:
    for database in (filled.app, filled.worker):
        for statement in CHANGES:
            with pytest.raises(DBAPIError, match="permission denied"):
                async with database.transaction(SYSTEM) as connection:
                    await connection.execute(text(statement.format(table)))


@pytest.mark.parametrize(
    "table", ["decisions", "escalations", "tasks", "task_grants", "identity_results", "households"]
)
async def test_app_cannot_write_what_only_casework_writes(filled: Scene, table: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with seeing(filled.app, "system:forged", "*") as connection:
            await connection.execute(text(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1"))  # noqa: S608


async def test_app_cannot_submit_into_a_village_that_it_does_not_see(filled: Scene) -> None:
    submission = text(
        """
        INSERT INTO updates (id, tracking_code, area_code, kind, policy_version_id, status, revision, submitted_by,
                             submitted_at, version)
        VALUES (:id, 'AAAA-AAAA-AAAA-AAAA', :area, 'death', :policy, 'received', 1, :by, :at, 1)
        """,
    )
    values = {
        "id": new_id(),
        "area": TARAJU,
        "policy": filled.policy_version_id,
        "by": user("operator.cikubang"),
        "at": datetime.now(UTC),
    }
    with pytest.raises(DBAPIError, match="row-level security"):
        async with seeing(filled.app, str(user("operator.cikubang")), CIKUBANG) as connection:
            await connection.execute(submission, values)


async def test_case_cannot_be_moved_out_of_view(filled: Scene) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with seeing(filled.app, str(user("operator.taraju")), TARAJU) as connection:
            await connection.execute(text("UPDATE updates SET area_code = '32.06.13.2002'"))


@pytest.mark.parametrize(
    "table",
    [
        "users",
        "memberships",
        "delegations",
        "account_digests",
        "account_matches",
        "api_keys",
        "api_key_secrets",
        "foreign_identities",
    ],
)
async def test_people_are_administered_at_their_desk_and_seen_nowhere_else(filled: Scene, table: str) -> None:
    column = "id" if table != "memberships" else "area_code"
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.worker.transaction(SYSTEM) as connection:
            await connection.execute(text(f"SELECT {column} FROM {table}"))  # noqa: S608 - our own names
    async with filled.app.transaction(Viewer("somebody", ("*",))) as connection:
        assert await count(connection, table) == 0, "without sitting down at the desk"
    async with filled.app.transaction(Viewer("somebody", ("33",), desk="people")) as connection:
        assert await count(connection, table) == 0, "of another province"


async def test_no_desk_shows_the_hash_of_a_password(filled: Scene) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.app.transaction(Viewer("somebody", ("*",), desk="people")) as connection:
            await connection.execute(text("SELECT password_hash FROM users"))


async def test_no_desk_shows_the_digest_of_a_key(filled: Scene) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.app.transaction(Viewer("somebody", ("*",), desk="people")) as connection:
            await connection.execute(text("SELECT digest FROM api_key_secrets"))


async def test_desk_of_leaves_appoints_nobody(filled: Scene) -> None:
    async with filled.app.transaction(Viewer("somebody", ("*",), desk="leaves")) as connection:
        assert await count(connection, "memberships") > 0
        ended = await connection.execute(text("UPDATE memberships SET valid_to = valid_from"))
        assert ended.rowcount == 0


async def test_acts_of_others_are_not_seen(filled: Scene) -> None:
    owner, other = "puskesos.taraju", "kades.taraju"
    async with seeing(filled.app, str(user(owner)), TARAJU) as connection:
        assert await count(connection, "idempotency_keys") == await _acts_of(filled, user(owner)) > 0
    async with seeing(filled.app, str(user(other)), "*") as connection:
        assert await count(connection, "idempotency_keys") == await _acts_of(filled, user(other))


async def _acts_of(scene: Scene, user_id: UUID) -> int:
    return (await scene.one("SELECT count(*) AS n FROM idempotency_keys WHERE actor_id = :id", id=user_id)).n


async def test_person_reads_what_they_were_told_also_outside_their_present_area(filled: Scene) -> None:
    submitter = str(user("operator.taraju"))
    async with seeing(filled.app, submitter) as connection:
        own = await count(connection, "notifications")
        assert own > 0
        assert await count(connection, "notifications", f"to_user_id = '{submitter}'") == own


async def test_functions_across_areas_answer_to_kawal_alone(filled: Scene) -> None:
    rows = await filled.rows(
        """
        SELECT p.proname, p.prosecdef, array_to_string(p.proconfig, ',') AS config,
               has_function_privilege('public', p.oid, 'EXECUTE') AS open_to_all
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.proname LIKE 'kawal%' AND p.prosecdef
        """,
    )
    assert len(rows) >= 6
    assert [row.proname for row in rows if row.open_to_all] == []
    assert all(row.config.startswith("search_path=pg_catalog, public") for row in rows)


async def test_sessions_of_others_are_not_seen(filled: Scene) -> None:
    owner, other = user("puskesos.taraju"), user("kades.taraju")
    async with seeing(filled.app, str(owner), "*") as connection:
        assert await count(connection, "sessions") == 1
        assert await count(connection, "sessions", f"user_id = '{other}'") == 0
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.worker.transaction(SYSTEM) as connection:
            await count(connection, "sessions")
