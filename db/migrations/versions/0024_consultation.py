"""Drafts of policies, what the tiers below say of them and are answered, and what becomes of published versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import (
    CONCERNS,
    IN_VIEW,
    IS_KNOWN,
    IS_SELF,
    IS_SYSTEM,
    allow,
    close_function,
    forbid_changes,
    secure,
)

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ROLES = (
    "administrator",
    "data_protection_officer",
    "district_supervisor",
    "evaluator",
    "ground_checker",
    "inspectorate",
    "ministry_officer",
    "planner",
    "province_observer",
    "puskesos_officer",
    "regency_assistant",
    "regency_head",
    "regency_secretary",
    "regency_supervisor",
    "regency_verifier",
    "regent",
    "service",
    "subdistrict_head",
    "village_council",
    "village_head",
    "village_operator",
)
EMERGENCIES = "'cases_stuck', 'court_ruling', 'disaster', 'households_harmed', 'law_changed'"
IN_AREA = IN_VIEW.format(column="area_code")
BELOW = CONCERNS.format(column="area_code")

# By person: whichever account was used, and for whomever.
WROTE = """
    CREATE FUNCTION kawal_wrote_draft(draft uuid, account uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT EXISTS (
            SELECT 1 FROM policy_draft_revisions r
            JOIN users author ON author.id IN (r.written_by, r.on_behalf_of)
            JOIN users publisher ON publisher.id = account
            WHERE r.draft_id = draft AND author.person_id = publisher.person_id)
    $$
    """

# What a period of retention erases comes not back when an emergency lapses: the last policy that was consulted on decides.
PERIOD = """
    CREATE OR REPLACE FUNCTION kawal_period(of_area text, wanted text) RETURNS interval
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(
            (SELECT (rule ->> 'period')::interval
             FROM (SELECT document FROM policies p
                   WHERE area_code = ANY (ARRAY['*', left(of_area, 2), left(of_area, 5), left(of_area, 8), of_area])
                     AND effective_at <= clock_timestamp() AND emergency_reason IS NULL
                     AND NOT EXISTS (SELECT 1 FROM policy_turns t WHERE t.version_id = p.id AND t.turn = 'revoked')
                   ORDER BY area_code DESC, effective_at DESC, number DESC LIMIT 1) AS in_force,
                  jsonb_array_elements(in_force.document -> 'retention') AS rule
             WHERE rule ->> 'subject' = wanted LIMIT 1),
            CASE wanted
                WHEN 'evidence' THEN interval '730 days'
                WHEN 'contents' THEN interval '365 days'
                WHEN 'sealed_requests' THEN interval '90 days'
                WHEN 'tracking' THEN interval '365 days'
                WHEN 'read_log' THEN interval '1825 days'
                WHEN 'notifications' THEN interval '365 days'
                WHEN 'sessions' THEN interval '180 days'
                WHEN 'person_requests' THEN interval '1825 days'
                WHEN 'person_exports' THEN interval '7 days'
            END)
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _drafts()
    _revisions()
    _comments()
    _answers()
    _versions()
    _turns()
    _notifications()
    _protect()
    op.execute(PERIOD)


def _area(name: str = "area_code") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _drafts() -> None:
    op.create_table(
        "policy_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=False),
        _moment("drafted_at"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _moment("opened_at", nullable=True),
        _moment("closes_at", nullable=True),
        sa.Column("deadline", postgresql.JSONB(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_consultation', 'published', 'withdrawn', 'written')",
            name=op.f("ck_policy_drafts_status_known"),
        ),
        _key("policy_drafts", "office_id", "offices"),
        _key("policy_drafts", "drafted_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_drafts")),
    )
    op.create_index("ix_policy_drafts_area_code_id", "policy_drafts", ["area_code", "id"])


def _revisions() -> None:
    op.create_table(
        "policy_draft_revisions",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _area(),
        sa.Column("base_id", sa.Uuid(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        _moment("effective_from", nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("trial", postgresql.JSONB(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        _moment("written_at"),
        _key("policy_draft_revisions", "draft_id", "policy_drafts"),
        _key("policy_draft_revisions", "base_id", "policies"),
        _key("policy_draft_revisions", "written_by", "users"),
        _key("policy_draft_revisions", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("draft_id", "revision", name=op.f("pk_policy_draft_revisions")),
    )


def _comments() -> None:
    op.create_table(
        "policy_comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _area(),
        _area("from_area"),
        sa.Column("pointer", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            f"role IN ({', '.join(repr(role) for role in ROLES)})", name=op.f("ck_policy_comments_role_known")
        ),
        _key("policy_comments", "draft_id", "policy_drafts"),
        _key("policy_comments", "author_id", "users"),
        _key("policy_comments", "office_id", "offices"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_comments")),
    )
    op.create_index("ix_policy_comments_draft_id_id", "policy_comments", ["draft_id", "id"])


def _answers() -> None:
    op.create_table(
        "policy_answers",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'noted', 'rejected')", name=op.f("ck_policy_answers_verdict_known")
        ),
        _key("policy_answers", "comment_id", "policy_comments"),
        _key("policy_answers", "answered_by", "users"),
        _key("policy_answers", "office_id", "offices"),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_policy_answers")),
    )


def _versions() -> None:
    op.add_column("policies", sa.Column("draft_id", sa.Uuid(), nullable=True))
    op.add_column("policies", sa.Column("draft_revision", sa.Integer(), nullable=True))
    op.add_column("policies", sa.Column("emergency_reason", sa.Text(), nullable=True))
    op.add_column("policies", sa.Column("emergency_note", sa.Text(), nullable=True))
    op.add_column("policies", _moment("ends_at", nullable=True))
    op.create_foreign_key(op.f("fk_policies_draft_id_policy_drafts"), "policies", "policy_drafts", ["draft_id"], ["id"])
    op.create_index("ix_policies_draft_id", "policies", ["draft_id"])
    for name, condition in (
        ("emergency_reason_known", f"emergency_reason IN ({EMERGENCIES})"),
        ("emergency_ends", "(emergency_reason IS NULL) = (ends_at IS NULL)"),
        ("revision_of_draft", "(draft_id IS NULL) = (draft_revision IS NULL)"),
    ):
        op.create_check_constraint(op.f(f"ck_policies_{name}"), "policies", condition)


def _turns() -> None:
    op.create_table(
        "policy_turns",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Text(), nullable=False),
        _area(),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        _moment("at"),
        sa.CheckConstraint("turn IN ('lapsed', 'revoked', 'took_effect')", name=op.f("ck_policy_turns_turn_known")),
        _key("policy_turns", "version_id", "policies"),
        _key("policy_turns", "by", "users"),
        sa.PrimaryKeyConstraint("version_id", "turn", name=op.f("pk_policy_turns")),
    )


def _notifications() -> None:
    op.add_column("notifications", sa.Column("policy_draft_id", sa.Uuid(), nullable=True))
    op.alter_column("notifications", "update_id", nullable=True)
    op.create_foreign_key(
        op.f("fk_notifications_policy_draft_id_policy_drafts"),
        "notifications",
        "policy_drafts",
        ["policy_draft_id"],
        ["id"],
    )
    op.create_index(
        "ix_notifications_policy_draft_id",
        "notifications",
        ["policy_draft_id"],
        postgresql_where=sa.text("policy_draft_id IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_notifications_about_one_thing"),
        "notifications",
        "(update_id IS NULL) <> (policy_draft_id IS NULL)",
    )


def _protect() -> None:
    for table in ("policy_drafts", "policy_draft_revisions", "policy_comments", "policy_answers", "policy_turns"):
        secure(table)
    for table in ("policy_draft_revisions", "policy_comments", "policy_answers", "policy_turns"):
        forbid_changes(table)
    op.execute(
        "CREATE TRIGGER policy_drafts_never_removed BEFORE DELETE OR TRUNCATE ON policy_drafts "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()"
    )
    # The tiers below see a draft from the moment it is shown, and all that is said of it.
    shown = f"({IN_AREA}) OR (opened_at IS NOT NULL AND {BELOW})"
    allow("policy_drafts", "kawal_app", "SELECT", shown)
    allow("policy_drafts", "kawal_app", "INSERT", IN_AREA)
    op.execute("GRANT UPDATE (status, revision, opened_at, closes_at, deadline, version) ON policy_drafts TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON policy_drafts FOR UPDATE TO kawal_app USING ({IN_AREA}) WITH CHECK ({IN_AREA})"
    )
    of_shown = "EXISTS (SELECT 1 FROM policy_drafts d WHERE d.id = draft_id)"

    allow("policy_draft_revisions", "kawal_app", "SELECT", of_shown)
    allow("policy_draft_revisions", "kawal_app", "INSERT", f"{IS_SELF.format(column='written_by')} AND {IN_AREA}")
    allow("policy_comments", "kawal_app", "SELECT", of_shown)
    allow("policy_comments", "kawal_app", "INSERT", f"{IS_SELF.format(column='author_id')} AND {of_shown}")
    allow("policy_answers", "kawal_app", "SELECT", f"({IN_AREA}) OR {BELOW}")
    allow("policy_answers", "kawal_app", "INSERT", f"{IS_SELF.format(column='answered_by')} AND {IN_AREA}")
    allow("policy_turns", "kawal_app", "SELECT", IS_KNOWN)
    allow("policy_turns", "kawal_app", "INSERT", f"turn = 'revoked' AND {IN_AREA}")
    for table in ("policy_drafts", "policy_draft_revisions", "policy_comments", "policy_answers"):
        allow(table, "kawal_worker", "SELECT", IS_SYSTEM)
    allow("policy_turns", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    _protect_publication()
    about_drafts = f"policy_draft_id IS NOT NULL AND (({IN_AREA}) OR {BELOW})"
    op.execute(f"CREATE POLICY kawal_app_drafts ON notifications FOR SELECT TO kawal_app USING ({about_drafts})")
    op.execute(f"CREATE POLICY kawal_app_tell ON notifications FOR INSERT TO kawal_app WITH CHECK ({about_drafts})")


def _protect_publication() -> None:
    """Nothing is published but a draft, and never by one of its authors: whatever the application believes."""
    op.execute(WROTE)
    close_function("kawal_wrote_draft(uuid, uuid)", to="kawal_app")
    op.execute("DROP POLICY kawal_app_insert ON policies")
    op.execute(
        f"CREATE POLICY kawal_app_insert ON policies FOR INSERT TO kawal_app WITH CHECK ({IN_AREA} "
        f"AND {IS_SELF.format(column='published_by')} AND draft_id IS NOT NULL "
        "AND NOT kawal_wrote_draft(draft_id, published_by))"
    )


def downgrade() -> None:
    raise RuntimeError("What was said of policies is not forgotten; restore a backup instead.")
