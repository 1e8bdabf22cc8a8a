"""Grants as narrow as what Kawal's code does: which columns are written, who asks which function, what stays over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import UnmaskRequest
from db.session import Viewer
from devstack.demo_people import demo_id
from domain.disclosure import Purpose
from domain.ids import new_id
from domain.vocabulary import Role
from tests.db.looking import HOLDER, TARAJU, at_desk, count, seeing
from tests.scene import SYSTEM, Scene, user

BOTH: Final = frozenset({"kawal_app", "kawal_worker"})
APP: Final = frozenset({"kawal_app"})
WORKER: Final = frozenset({"kawal_worker"})
NOBODY: Final[frozenset[str]] = frozenset()

DEFINERS: Final = {
    "kawal_accounts_like(bytea[],uuid)": APP,
    "kawal_api_key(bytea,timestamp with time zone)": APP,
    "kawal_bind_live_evidence()": NOBODY,
    "kawal_browser_session(bytea)": APP,
    "kawal_candidates(text[],text[],timestamp with time zone)": BOTH,
    "kawal_colleagues(text,text,timestamp with time zone)": APP,
    "kawal_credentials(text)": APP,
    "kawal_due(text)": WORKER,
    "kawal_due_origins()": WORKER,
    "kawal_end_sessions()": NOBODY,
    "kawal_end_unbound_sessions()": NOBODY,
    "kawal_erase_contents(integer)": WORKER,
    "kawal_erase_person_requests(integer)": WORKER,
    "kawal_erase_origins(integer)": WORKER,
    "kawal_erase_rows(text,integer)": WORKER,
    "kawal_erase_reports(integer)": WORKER,
    "kawal_report_is_due(uuid)": WORKER,
    "kawal_evidence_has_its_time()": NOBODY,
    "kawal_hold_credentials(uuid,text)": APP,
    "kawal_hold_vouched(uuid,text,text)": APP,
    "kawal_identity_holder(text,text)": APP,
    "kawal_identity_known(bytea[],uuid,uuid)": BOTH,
    "kawal_is_due(uuid,text)": WORKER,
    "kawal_is_held(uuid)": WORKER,
    "kawal_leaves(uuid[],timestamp with time zone,timestamp with time zone)": APP,
    "kawal_names(uuid[])": APP,
    "kawal_note_key_use(bytea,timestamp with time zone,text,interval)": APP,
    "kawal_objections(uuid,uuid)": APP,
    "kawal_one_person(uuid,uuid)": APP,
    "kawal_period(text,text)": WORKER,
    "kawal_posts(text[],text[],timestamp with time zone[])": BOTH,
    "kawal_minutes_have_live_scan()": NOBODY,
    "kawal_lent_to_holder(uuid,timestamp with time zone)": WORKER,
    "kawal_reach(uuid,timestamp with time zone)": APP,
    "kawal_refresh_holder(bytea)": APP,
    "kawal_refuse_tokens_before(timestamp with time zone)": APP,
    "kawal_regroup(uuid,uuid)": APP,
    "kawal_round_figures(uuid)": APP,
    "kawal_seats(uuid,timestamp with time zone,uuid)": BOTH,
    "kawal_track(text)": APP,
    "kawal_track_appeal(text)": APP,
    "kawal_track_reopened(text)": APP,
    "kawal_wrote_draft(uuid,uuid)": APP,
}
"""Functions that see past row security, and who may ask them; triggers are asked by nobody."""
INVOKERS: Final = {"kawal_is_resealed(jsonb,jsonb,text[])": BOTH}
"""Others that an account may call."""

ALL: Final = "*"
UPDATED: Final = {
    ("kawal_app", "account_matches"): "decided_at decided_by same verdict",
    ("kawal_app", "api_key_secrets"): "expires_at",
    ("kawal_app", "api_keys"): "expires_at revoked_at revoked_by",
    ("kawal_app", "audit_streams"): ALL,
    ("kawal_app", "clock_intervals"): "to_at",
    ("kawal_app", "data_subject_requests"): "answered_at answered_by note reason state",
    ("kawal_app", "delegations"): "ended_at ended_by",
    ("kawal_app", "document_waits"): "ended_at ended_because ended_by evidence_id",
    ("kawal_app", "evidence_uploads"): ALL,
    ("kawal_app", "idempotency_keys"): ALL,
    ("kawal_app", "information_requests"): "answer_id ended_at ended_by evidence_id of_the_office state",
    ("kawal_app", "legal_holds"): "lifted_at lifted_because lifted_by",
    ("kawal_app", "memberships"): "office_id valid_to version",
    ("kawal_app", "minutes"): "superseded_by",
    ("kawal_app", "offices"): "closed_at name version",
    ("kawal_app", "outbox"): ALL,
    ("kawal_app", "policy_drafts"): "closes_at deadline opened_at revision status version",
    ("kawal_app", "refresh_tokens"): "replaced_by used_at",
    ("kawal_app", "round_signoffs"): (
        "act ended_at musdes_on office_id on_behalf_of reason signed_by signed_role target words"
    ),
    ("kawal_app", "round_targets"): "position",
    ("kawal_app", "round_villages"): "determined_at musdes_on target version",
    ("kawal_app", "rounds"): "closed_at closed_by version",
    ("kawal_app", "sessions"): "ended_at ended_because expires_at seen_at",
    ("kawal_app", "sign_in_tallies"): ALL,
    ("kawal_app", "tasks"): ALL,
    ("kawal_app", "unmask_requests"): "decided_at decided_by note rows_read valid_until verdict",
    ("kawal_app", "updates"): ALL,
    ("kawal_app", "users"): "disabled display_name identity password_hash version",
    ("kawal_worker", "audit_streams"): ALL,
    ("kawal_worker", "clock_intervals"): ALL,
    ("kawal_worker", "clock_jobs"): "settled_at",
    ("kawal_worker", "data_subject_requests"): "answered_at export_until held leased_until reason state",
    ("kawal_worker", "document_waits"): "ended_at ended_because",
    ("kawal_worker", "evaluations"): "digest measured_at",
    ("kawal_worker", "evidence"): "capture erased_at",
    ("kawal_worker", "household_members"): ALL,
    ("kawal_worker", "households"): ALL,
    ("kawal_worker", "idempotency_keys"): ALL,
    ("kawal_worker", "identity_digests"): "ended_at",
    ("kawal_worker", "identity_results"): ALL,
    ("kawal_worker", "information_requests"): "deadline due_at ended_at resumed_at rungs_fired state",
    ("kawal_worker", "lapse_notices"): "deadline lapsed_at lapses_at",
    ("kawal_worker", "minutes"): "finished_at",
    ("kawal_worker", "minutes_cases"): "detail result settled_at task_id",
    ("kawal_worker", "outbox"): ALL,
    ("kawal_worker", "round_signoffs"): "deadline due_at ended_at level look_at roles rungs_fired",
    ("kawal_worker", "rounds"): "baseline_at determined_at listed_at looks_at policy_version_id rolled_at",
    ("kawal_worker", "tasks"): ALL,
    ("kawal_worker", "updates"): ALL,
}
"""Who changes which columns of which table."""
DELETED: Final = {
    ("kawal_app", "account_digests"),
    ("kawal_app", "evidence_uploads"),
    ("kawal_app", "foreign_identities"),
    ("kawal_app", "sign_in_tallies"),
    ("kawal_worker", "data_subject_exports"),
    ("kawal_worker", "evidence_uploads"),
    ("kawal_worker", "identity_digests"),
}
"""Who removes rows of which table."""


async def test_functions_that_see_past_row_security_are_those_listed_and_asked_by_who_needs_them(filled: Scene) -> None:
    found = await _functions(filled, "p.prosecdef")
    assert {row.signature: frozenset(row.asked_by) for row in found} == DEFINERS
    # Temporary tables come last: of a table of the same name, a function sees that of the schema.
    assert [row.signature for row in found if row.config != ["search_path=pg_catalog, public, pg_temp"]] == []


async def test_no_other_function_is_open_to_an_account(filled: Scene) -> None:
    found = await _functions(filled, "NOT p.prosecdef")
    assert {row.signature: frozenset(row.asked_by) for row in found if row.asked_by} == INVOKERS
    later = "CREATE FUNCTION kawal_of_tomorrow() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"
    async with filled.as_owner() as connection:
        await connection.execute(text(later))
        asked = text("SELECT has_function_privilege('public', 'kawal_of_tomorrow()', 'EXECUTE')")
        assert not await connection.scalar(asked), "what a later revision makes is closed until it is granted"
        await connection.rollback()


async def _functions(scene: Scene, which: str) -> list[Any]:
    """Functions by signature, with every account but the owner that may execute them."""
    return await scene.rows(
        f"""
        SELECT p.oid::regprocedure::text AS signature, p.proconfig AS config,
               ARRAY(SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                     FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                     WHERE a.grantee <> p.proowner AND a.privilege_type = 'EXECUTE') AS asked_by
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND {which}
        """,  # noqa: S608 - our own words
    )


async def test_accounts_change_and_remove_what_is_listed_and_nothing_else(filled: Scene) -> None:
    tables = await filled.rows(
        "SELECT grantee, table_name, privilege_type AS kind FROM information_schema.role_table_grants "
        "WHERE table_schema = 'public' AND grantee IN ('kawal_app', 'kawal_worker', 'PUBLIC')",
    )
    columns = await filled.rows(
        "SELECT grantee, table_name, string_agg(column_name, ' ' ORDER BY column_name) AS columns "
        "FROM information_schema.role_column_grants WHERE table_schema = 'public' AND privilege_type = 'UPDATE' "
        "AND grantee IN ('kawal_app', 'kawal_worker', 'PUBLIC') GROUP BY grantee, table_name",
    )
    whole = {(row.grantee, row.table_name) for row in tables if row.kind == "UPDATE"}
    changed = {(row.grantee, row.table_name): row.columns for row in columns}
    assert changed | dict.fromkeys(whole, ALL) == UPDATED
    assert {(row.grantee, row.table_name) for row in tables if row.kind == "DELETE"} == DELETED
    assert {row.kind for row in tables} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    made = await filled.one("SELECT has_schema_privilege('kawal_app', 'public', 'CREATE') AS is_so")
    assert not made.is_so


async def test_api_cannot_make_two_accounts_one_person_without_a_verdict(scene: Scene) -> None:
    one, other = user(HOLDER), user("kades.taraju")
    with pytest.raises(DBAPIError, match="permission denied"):
        async with at_desk(scene, str(user("admin")), "32.06") as connection:
            await connection.execute(
                text("UPDATE users SET person_id = :one WHERE id = :other"), {"one": one, "other": other}
            )
    async with at_desk(scene, str(user("admin")), "32.06") as connection:
        await connection.execute(text("SELECT kawal_regroup(:one, :other)"), {"one": one, "other": other})
    assert (await scene.one("SELECT count(*) AS n FROM users WHERE person_id <> id")).n == 0


async def test_pair_of_accounts_is_judged_by_neither_of_them(scene: Scene) -> None:
    admin, first, second = user("admin"), *sorted((user(HOLDER), user("kades.taraju")))
    pair = {"id": new_id(), "first": first, "second": second}
    judge = "UPDATE account_matches SET verdict = 'same_person', decided_by = :by, decided_at = now()"
    async with at_desk(scene, str(admin), "32.06") as connection:
        made = (
            "INSERT INTO account_matches (id, first_id, second_id, same, found_at) "
            "VALUES (:id, :first, :second, '{nik}', now())"
        )
        await connection.execute(text(made), pair)
    for actor, by in ((first, first), (second, second), (first, admin), (admin, first)):
        with pytest.raises(DBAPIError, match="neither is their own"):
            async with at_desk(scene, str(actor), "32.06") as connection:
                await connection.execute(text(judge), {"by": by})
    async with at_desk(scene, str(admin), "32.06") as connection:
        await connection.execute(text(judge), {"by": admin})


async def test_colleagues_are_told_to_an_account_and_to_nobody_else(filled: Scene) -> None:
    asked = text("SELECT count(*) FROM kawal_colleagues(:area, 'puskesos', now())")
    told: dict[str, Any] = {}
    for actor in (str(user(HOLDER)), str(new_id()), "anonymous", "system:worker"):
        async with seeing(filled.app, actor, "*") as connection:
            told[actor] = await connection.scalar(asked, {"area": TARAJU})
    assert told.pop(str(user(HOLDER))) > 0
    assert set(told.values()) == {0}
    async with filled.app.question() as connection:
        assert await connection.scalar(asked, {"area": TARAJU}) == 0


# --- what is over stays over ----------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["ended_at = NULL, ended_because = NULL", "seen_at = now()", "ended_at = now()"])
async def test_ended_session_is_not_opened_again(scene: Scene, again: str) -> None:
    holder = str(user(HOLDER))
    async with seeing(scene.app, holder) as connection:
        await connection.execute(text("UPDATE sessions SET ended_at = now(), ended_because = 'logged_out'"))
    with pytest.raises(DBAPIError, match="a session that was ended stays ended"):
        async with seeing(scene.app, holder) as connection:
            await connection.execute(text(f"UPDATE sessions SET {again}"))  # noqa: S608
    with pytest.raises(DBAPIError, match="permission denied"):
        async with seeing(scene.app, holder) as connection:
            await connection.execute(text("DELETE FROM sessions"))


async def test_session_is_not_carried_on_beyond_its_end(scene: Scene) -> None:
    with pytest.raises(DBAPIError, match="within_its_end"):
        async with seeing(scene.app, str(user(HOLDER))) as connection:
            await connection.execute(text("UPDATE sessions SET expires_at = ends_at + interval '1 day'"))


@pytest.mark.parametrize("change", ["user_id = user_id", "ends_at = ends_at", "kind = 'browser'"])
async def test_session_stays_whose_it_is(scene: Scene, change: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with seeing(scene.app, str(user(HOLDER))) as connection:
            await connection.execute(text(f"UPDATE sessions SET {change}"))  # noqa: S608


async def test_refresh_token_is_good_once(filled: Scene) -> None:
    async with seeing(filled.app, str(user(HOLDER))) as connection:
        assert (await connection.execute(text("UPDATE refresh_tokens SET used_at = now()"))).rowcount == 1
        with pytest.raises(DBAPIError, match="a refresh token is good once"):
            await connection.execute(text("UPDATE refresh_tokens SET used_at = NULL"))
        await connection.rollback()


async def test_ended_leave_does_not_begin_again(filled: Scene) -> None:
    async with at_desk(filled, str(user("admin")), "32.06") as connection:
        assert (await connection.execute(text("UPDATE delegations SET ended_at = now()"))).rowcount == 1
        with pytest.raises(DBAPIError, match="a leave that was ended stays ended"):
            await connection.execute(text("UPDATE delegations SET ended_at = NULL"))
        await connection.rollback()


async def test_revoked_key_is_not_let_in_again(filled: Scene) -> None:
    async with at_desk(filled, str(user("admin")), "32.06") as connection:
        revoke = "UPDATE api_keys SET revoked_at = now(), revoked_by = :by"
        assert (await connection.execute(text(revoke), {"by": user("admin")})).rowcount == 1
        with pytest.raises(DBAPIError, match="a key that was revoked stays revoked"):
            await connection.execute(text("UPDATE api_keys SET revoked_at = NULL"))
        await connection.rollback()


@pytest.mark.parametrize("again", ["NULL", "now() + interval '1 year'", "now() - interval '1 year'"])
async def test_membership_that_is_over_is_not_given_another_end(scene: Scene, again: str) -> None:
    held = {"id": demo_id("membership", f"{HOLDER}/{Role.PUSKESOS_OFFICER}/{TARAJU}")}
    async with at_desk(scene, str(user("admin")), "32.06") as connection:
        ended = "UPDATE memberships SET valid_to = clock_timestamp() WHERE id = :id"
        assert (await connection.execute(text(ended), held)).rowcount == 1
    with pytest.raises(DBAPIError, match="a membership that is over stays over"):
        async with at_desk(scene, str(user("admin")), "32.06") as connection:
            await connection.execute(text(f"UPDATE memberships SET valid_to = {again} WHERE id = :id"), held)  # noqa: S608


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memberships SET role = 'administrator'",
        "UPDATE memberships SET area_code = '*'",
        "UPDATE memberships SET user_id = user_id",
        "UPDATE offices SET area_code = '*'",
        "UPDATE offices SET tier = 'national'",
        "UPDATE users SET area_code = '*'",
        "UPDATE users SET username = 'x'",
        "UPDATE delegations SET delegate_id = holder_id",
        (
            "INSERT INTO users (id, username, display_name, password_hash, created_at, area_code, person_id)"
            " VALUES (gen_random_uuid(), 'x', 'x', '', now(), '32.06', gen_random_uuid())"
        ),
    ],
)
async def test_what_a_person_is_and_where_is_not_written_over(filled: Scene, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with at_desk(filled, str(user("admin")), "32.06") as connection:
            await connection.execute(text(statement))


# --- many in the clear ----------------------------------------------------------------------------------------

ASKER, APPROVER = "operator.taraju", "verifikator"
APPROVE: Final = (
    "UPDATE unmask_requests SET verdict = 'approved', decided_by = :by, decided_at = now(), "
    "valid_until = now() + interval '1 hour'"
)


@pytest.fixture
async def asked(scene: Scene) -> Scene:
    """Somebody has asked to read ten households."""
    async with seeing(scene.app, str(user(ASKER)), TARAJU) as connection:
        await _ask(connection, user(ASKER))
    return scene


async def _ask(connection: AsyncConnection, by: UUID, **more: Any) -> None:
    row = {"id": new_id(), "area_code": TARAJU, "purpose": Purpose.FIELD_VISIT.value, "explanation": b"", "rows": 10}
    asked = row | {"hours": 1, "requested_by": by, "requested_at": datetime.now(UTC)} | more
    await connection.execute(insert(UnmaskRequest).values(asked))


async def _change(scene: Scene, actor: str, statement: str, **values: Any) -> None:
    async with seeing(scene.app, actor, TARAJU) as connection:
        changed = await connection.execute(text(statement), values)
        assert changed.rowcount == 1


async def test_request_is_written_in_the_name_of_who_acts_and_without_its_answer(scene: Scene) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with seeing(scene.app, str(user(ASKER)), TARAJU) as connection:
            await _ask(connection, user(APPROVER))
    valid_until = datetime.now(UTC) + timedelta(hours=1)
    answers = (
        {"verdict": "approved"},
        {"decided_by": user(APPROVER)},
        {"valid_until": valid_until},
        {"rows_read": -90},
    )
    for answer in answers:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with seeing(scene.app, str(user(ASKER)), TARAJU) as connection:
                await _ask(connection, user(ASKER), **answer)


async def test_nobody_approves_in_the_name_of_another_nor_what_they_asked_for(asked: Scene) -> None:
    for actor, by in ((ASKER, APPROVER), (APPROVER, "kades.taraju"), (ASKER, ASKER)):
        with pytest.raises(DBAPIError, match=r"another person than who asked"):
            await _change(asked, str(user(actor)), APPROVE, by=user(by))
    await _change(asked, str(user(APPROVER)), APPROVE, by=user(APPROVER))


async def test_nobody_approves_with_a_second_account_what_they_asked_for(asked: Scene) -> None:
    await asked.rows(
        "UPDATE users SET person_id = :one WHERE id = :other RETURNING 1", one=user(ASKER), other=user(APPROVER)
    )
    with pytest.raises(DBAPIError, match=r"another person than who asked"):
        await _change(asked, str(user(APPROVER)), APPROVE, by=user(APPROVER))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("verdict = 'refused'", "there is one verdict"),
        ("verdict = NULL", "there is one verdict"),
        ("valid_until = now() + interval '1 year'", "there is one verdict"),
        ("note = ''", "there is one verdict"),
        ("rows_read = 2", "rows that were read stay read"),
    ],
)
async def test_answer_stays_and_what_was_read_is_never_less(asked: Scene, change: str, fault: str) -> None:
    await _change(asked, str(user(APPROVER)), APPROVE, by=user(APPROVER))
    await _change(asked, str(user(ASKER)), "UPDATE unmask_requests SET rows_read = 3")
    with pytest.raises(DBAPIError, match=fault):
        await _change(asked, str(user(ASKER)), f"UPDATE unmask_requests SET {change}")  # noqa: S608


async def test_rows_are_counted_to_who_asked_and_only_after_an_approval(asked: Scene) -> None:
    read = "UPDATE unmask_requests SET rows_read = rows_read + 1"
    with pytest.raises(DBAPIError, match="the verdict comes first"):
        await _change(asked, str(user(ASKER)), read)
    with pytest.raises(DBAPIError, match="good for the hours that were asked for"):
        await _change(asked, str(user(APPROVER)), APPROVE.replace("1 hour", "2 hours"), by=user(APPROVER))
    await _change(asked, str(user(APPROVER)), APPROVE, by=user(APPROVER))
    with pytest.raises(DBAPIError, match="who asked reads"):
        await _change(asked, str(user(APPROVER)), read)
    await _change(asked, str(user(ASKER)), read)


async def test_reading_is_written_in_the_name_of_who_reads(filled: Scene) -> None:
    copied = text(
        "INSERT INTO read_log (id, at, area_code, actor_id, actor_role, office_id, subject, household_id, purpose, "
        "explanation, items) SELECT gen_random_uuid(), at, area_code, :by, actor_role, office_id, subject, "
        "household_id, purpose, explanation, items FROM read_log WHERE subject = 'household' LIMIT 1",
    )
    with pytest.raises(DBAPIError, match="row-level security"):
        async with filled.app.transaction(Viewer(str(user(ASKER)), (TARAJU,))) as connection:
            await connection.execute(copied, {"by": user(APPROVER)})
    async with filled.app.transaction(Viewer(str(user(ASKER)), (TARAJU,))) as connection:
        before = await count(connection, "read_log")
        await connection.execute(copied, {"by": user(ASKER)})
        assert await count(connection, "read_log") == before + 1
        await connection.rollback()


async def test_worker_asks_for_nobodys_password(filled: Scene) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with filled.worker.transaction(SYSTEM) as connection:
            await connection.execute(text("SELECT * FROM kawal_credentials('admin')"))
