"""What nobody changes, not even its owner; and how every other table may change."""

from __future__ import annotations

from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.models import Base
from tests.scene import SYSTEM, Scene

APPEND_ONLY: Final = frozenset(
    {
        "area_points",
        "audit_checkpoints",
        "audit_events",
        "audit_keys",
        "audit_marks",
        "calendars",
        "clock_orders",
        "comments",
        "decisions",
        "escalations",
        "evaluation_measures",
        "evaluation_observations",
        "ground_checks",
        "ground_reports",
        "household_versions",
        "ministry_answers",
        "policies",
        "policy_answers",
        "policy_comments",
        "policy_draft_revisions",
        "policy_turns",
        "read_log",
        "round_baseline",
        "round_moves",
        "round_rolls",
        "round_terms",
        "update_evidence",
        "update_revisions",
    }
)
CHANGES: Final = {
    "account_digests": "made anew with the identity that they are of",
    "account_matches": "a verdict, which may be revised",
    "api_key_secrets": "run out when another takes their place",
    "api_keys": "get another end, and are revoked, once",
    "areas": "loaded anew from the list of the Ministry of Home Affairs",
    "audit_origins": "forgotten by the operator's command; their commitments stay in the trail",
    "audit_streams": "the end of a chain moves on; the checkpoints hold where it was",
    "clock_intervals": "a pause ends",
    "clock_jobs": "are settled, once",
    "data_subject_digests": "made anew with another key, erased with their request",
    "data_subject_exports": "removed after their time",
    "data_subject_requests": "are answered, once; erased after their time",
    "delegations": "ended before their time, once",
    "document_waits": "end, once",
    "evaluations": "are measured, once",
    "evidence": "erased, once",
    "evidence_uploads": "arrive in pieces and are removed",
    "foreign_identities": "bound, and let go",
    "household_members": "as the registry believes them to be now",
    "households": "as the registry believes them to be now; each version stays",
    "identity_digests": "made anew with what they are of",
    "identity_results": "asked again",
    "idempotency_keys": "are answered",
    "information_requests": "are answered or taken back, once",
    "lapse_notices": "move with pauses, and come true, once",
    "legal_holds": "are lifted, once",
    "memberships": "get another end while they run",
    "minutes": "superseded by another record, once, and carried out, once",
    "minutes_cases": "settled, once",
    "notifications": "written once, but no proof of anything",
    "offices": "renamed, closed",
    "outbox": "leased and done",
    "policy_drafts": "amended, shown, published or withdrawn; each revision stays",
    "refresh_tokens": "used, once",
    "round_signoffs": "looked at, and signed, once",
    "round_targets": "are moved in the list by hand; each move stays",
    "round_villages": "get another version when their list is moved",
    "rounds": "get other terms, roll over once and are closed once",
    "sessions": "carried on and ended, once; removed when long over",
    "sign_in_tallies": "counted, and forgotten",
    "task_grants": "powers come with rungs and go with their task",
    "tasks": "claimed, extended, decided",
    "unmask_requests": "answered, once; rows are counted",
    "updates": "move along their route",
    "users": "renamed, disabled, given a password",
}
"""Tables whose rows change, and how."""
STATEMENTS: Final = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE")


def _changing(statement: str, table: str) -> str:
    return statement.format(table, next(iter(Base.metadata.tables[table].columns)).name)


def test_every_table_is_append_only_or_says_how_it_changes() -> None:
    assert APPEND_ONLY | CHANGES.keys() == Base.metadata.tables.keys()
    assert APPEND_ONLY & CHANGES.keys() == set()


async def test_the_catalogue_holds_to_the_list(filled: Scene) -> None:
    """The triggers that refuse: nobody has dropped one, and no table has one that is not listed."""
    guarded = await filled.rows(
        """
        SELECT c.relname AS name, bit_or(t.tgtype::int) AS kinds, bool_and(t.tgenabled = 'O') AS enabled
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.proname IN ('kawal_refuse_change', 'kawal_refuse_revision', 'kawal_refuse_update',
                            'kawal_refuse_ground_change') GROUP BY c.relname
        """,
    )
    on_delete, on_update, on_truncate = 8, 16, 32
    every_change = on_delete | on_update | on_truncate
    whole = {row.name for row in guarded if row.enabled and row.kinds & every_change == every_change}
    assert whole == APPEND_ONLY
    in_part = {"audit_origins", "data_subject_requests", "evidence", "legal_holds", "minutes", "minutes_cases"}
    in_part |= {"evaluations", "policy_drafts", "round_signoffs", "rounds"}
    assert {row.name for row in guarded} - whole == in_part, "a part of it goes or changes"


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("statement", STATEMENTS)
async def test_append_only_rows_are_refused_every_change_even_to_their_owner(
    filled: Scene,
    table: str,
    statement: str,
) -> None:
    assert (await filled.one(f"SELECT count(*) AS n FROM {table}")).n > 0, "no rows would prove nothing"  # noqa: S608
    for upkeep in ("", "reseal", "erase"):
        await _refused_to_the_owner(filled, _changing(statement, table), upkeep=upkeep)


async def test_owner_cannot_put_other_content_into_a_proposal(filled: Scene) -> None:
    """What a person has sent stays what they sent, whatever the owner says that it is for."""
    for upkeep in ("erase", "reseal"):
        for change in ("change = '\\x00'", "evidence = '[]'", "submitted_at = now()"):
            await _refused_to_the_owner(filled, f"UPDATE update_revisions SET {change}", upkeep=upkeep)  # noqa: S608


async def _refused_to_the_owner(scene: Scene, statement: str, *, upkeep: str) -> None:
    async with scene.as_owner() as connection:
        await connection.execute(text(f"SET LOCAL kawal.upkeep = '{upkeep}'"))
        with pytest.raises(DBAPIError, match=r"are never changed or removed"):
            await connection.execute(text(statement))


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
async def test_accounts_may_not_change_append_only_rows_at_all(filled: Scene, table: str) -> None:
    for database in (filled.app, filled.worker):
        for statement in STATEMENTS:
            with pytest.raises(DBAPIError, match="permission denied"):
                async with database.transaction(SYSTEM) as connection:
                    await connection.execute(text(_changing(statement, table)))
