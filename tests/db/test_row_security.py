"""Authority in the database: who sees which rows of every table, and who may write into which area."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.models import Base
from db.session import Viewer
from domain.ids import new_id
from tests.db.looking import CIKUBANG, HOLDER, TARAJU, count, seeing
from tests.scene import SYSTEM, Scene, user

AREA_TABLES: Final = (
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
    "data_subject_requests",
    "data_subject_digests",
    "data_subject_exports",
    "evidence",
    "update_evidence",
    "comments",
    "document_waits",
    "lapse_notices",
    "information_requests",
    "minutes",
    "minutes_cases",
    "evaluation_observations",
    "round_baseline",
    "round_moves",
    "round_rolls",
    "round_signoffs",
    "round_targets",
    "round_villages",
    "ground_checks",
    "ground_reports",
)
DRAFT_TABLES: Final = (
    *("policy_drafts", "policy_draft_revisions", "policy_comments", "policy_answers"),
    *("evaluations", "evaluation_measures"),
)
"""Of a regency, and shown to its villages."""
DESK_TABLES: Final = frozenset(
    {
        "account_digests",
        "account_matches",
        "api_key_secrets",
        "api_keys",
        "delegations",
        "foreign_identities",
        "memberships",
        "users",
    }
)
OWN_TABLES: Final = frozenset({"sessions", "refresh_tokens", "idempotency_keys", "evidence_uploads"})
PROOFS: Final = frozenset({"audit_keys", "audit_checkpoints", "audit_marks"})
PUBLIC: Final = frozenset({"areas", "offices", "area_points"})
ANSWERED_TO_ALL_WHO_ARE_KNOWN: Final = {
    "policies": "the rules of a regency are no secret",
    "policy_turns": "nor what became of them",
    "calendars": "nor are its holidays",
    "clock_orders": "nor the decrees over it",
    "clock_jobs": "nor how far they have come",
    "rounds": "nor when its rounds are",
    "round_terms": "nor how they were moved",
    "outbox": "ids alone; the API and the worker deliver for everybody",
    "sign_in_tallies": "counted before anybody is known",
}
ELSEWHERE: Final = "33"


@dataclass(frozen=True, slots=True)
class Sight:
    """Who sees `rows` of a table, and who sees none of them: from another area, or another person."""

    near: Viewer
    far: Viewer | None
    rows: str = "true"
    by_worker: bool = False


def _in_area(rows: str = "true") -> Sight:
    return Sight(Viewer("somebody", (TARAJU,)), Viewer("somebody", (ELSEWHERE,)), rows)


SIGHTS: Final = {
    **dict.fromkeys((*AREA_TABLES, *DRAFT_TABLES), _in_area()),
    **dict.fromkeys(("audit_streams", "audit_events", "audit_origins"), _in_area("area_code IS NOT NULL")),
    **dict.fromkeys(
        DESK_TABLES,
        Sight(Viewer("somebody", ("32.06",), desk="people"), Viewer("somebody", (ELSEWHERE,), desk="people")),
    ),
    **dict.fromkeys(
        OWN_TABLES, Sight(Viewer(str(user(HOLDER)), (TARAJU,)), Viewer(str(new_id()), ("*",), desk="people"))
    ),
    **dict.fromkeys(PROOFS, Sight(SYSTEM, Viewer("somebody", ("*",)), by_worker=True)),
    **dict.fromkeys(PUBLIC | ANSWERED_TO_ALL_WHO_ARE_KNOWN.keys(), Sight(Viewer("somebody", ()), None)),
}
"""Of every table, on the way that is the widest for it."""


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
        async with seeing(filled.app, nobody) as connection:
            await connection.execute(text("SELECT set_config('kawal.areas', :alike, true)"), {"alike": alike})
            assert await count(connection, table) == 0, alike


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
async def test_table_shows_its_rows_to_whom_they_are_for_and_to_nobody_elsewhere(filled: Scene, table: str) -> None:
    """A table that is new has to say who sees it: without an entry among the sights it fails here."""
    sight = SIGHTS[table]
    database = filled.worker if sight.by_worker else filled.app
    async with database.transaction(sight.near) as connection:
        assert await count(connection, table, sight.rows) > 0, "a table without rows would prove nothing"
    if sight.far is not None:
        async with database.transaction(sight.far) as connection:
            assert await count(connection, table, sight.rows) == 0
    if sight.by_worker:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with filled.app.transaction(SYSTEM) as connection:
                await count(connection, table)


@pytest.mark.parametrize("table", sorted(Base.metadata.tables.keys() - PUBLIC))
async def test_connection_that_was_never_told_who_acts_sees_nothing_also_after_a_commit(
    filled: Scene,
    table: str,
) -> None:
    """After a commit the setting is an empty string and not null: neither may show anything."""
    for database, account in ((filled.app, "kawal_app"), (filled.worker, "kawal_worker")):
        granted = await filled.one(f"SELECT has_any_column_privilege('{account}', '{table}', 'SELECT') AS is_so")
        if not granted.is_so:
            continue
        async with database.engine.connect() as connection:
            assert await count(connection, table) == 0
            await connection.rollback()
            await connection.execute(text("SELECT set_config('kawal.actor', 'system:x', true)"))
            await connection.execute(text("SELECT set_config('kawal.areas', '*', true)"))
            await connection.execute(text("SELECT set_config('kawal.desk', 'people', true)"))
            await connection.commit()
            assert await count(connection, table) == 0


@pytest.mark.parametrize("table", AREA_TABLES)
async def test_worker_needs_to_act_for_the_system(filled: Scene, table: str) -> None:
    async with seeing(filled.worker, str(user("operator.taraju")), "*") as connection:
        assert await count(connection, table) == 0
    async with seeing(filled.worker, "system:worker") as connection:
        assert await count(connection, table) > 0


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


@pytest.mark.parametrize("table", sorted(DESK_TABLES))
async def test_people_are_administered_at_their_desk_and_seen_nowhere_else(filled: Scene, table: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.worker.transaction(SYSTEM) as connection:
            await count(connection, table)
    async with seeing(filled.app, "somebody", "*") as connection:
        assert await count(connection, table) == 0, "without sitting down at the desk"


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


async def test_sessions_of_others_are_not_seen(filled: Scene) -> None:
    owner, other = user("puskesos.taraju"), user("kades.taraju")
    async with seeing(filled.app, str(owner), "*") as connection:
        assert await count(connection, "sessions") == 2, "the one of the seed, and their own"
        assert await count(connection, "sessions", f"user_id = '{other}'") == 0
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.worker.transaction(SYSTEM) as connection:
            await count(connection, "sessions")
