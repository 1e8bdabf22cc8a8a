"""The plans of villages in a round: proposed from below, signed step by step, each under a deadline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SYSTEM, allow, secure

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

ROLES = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'peer_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', "
    "'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', "
    "'subdistrict_head', 'village_council', 'village_head', 'village_operator'"
)
STEPS = "'answer', 'dinas', 'proposal', 'puskesos', 'ruling'"
ACTS = "'agree', 'answer', 'decide', 'object', 'propose'"
REASONS = (
    "'hamlet_left_out', 'musdes_too_early', 'musdes_too_late', 'riskiest_left_out', 'target_too_high', 'target_too_low'"
)
IN_AREA = IN_VIEW.format(column="area_code")


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("rounds", sa.Column("determined_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("rounds", sa.Column("looks_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("GRANT UPDATE (determined_at, looks_at) ON rounds TO kawal_worker")
    for column in (
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("musdes_on", sa.Date(), nullable=True),
        sa.Column("determined_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("round_villages", column)
    op.execute("GRANT UPDATE (target, musdes_on, determined_at) ON round_villages TO kawal_app")
    _signoffs()
    _protect()
    # Their workflows ended with the baseline; under their new id they are carried on.
    op.execute(
        "INSERT INTO outbox (topic, subject_id, payload, available_at) "
        "SELECT 'start_round', id, jsonb_build_object('area_code', area_code, 'period', period), now() "
        "FROM rounds WHERE baseline_at IS NOT NULL AND closed_at IS NULL"
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_round_signoffs_{column}_{to}"))


def _check(condition: str, name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_round_signoffs_{name}"))


def _signoffs() -> None:
    op.create_table(
        "round_signoffs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("contested", sa.Text(), nullable=True),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        _moment("opened_at"),
        _moment("due_at"),
        sa.Column("deadline", postgresql.JSONB(), nullable=False),
        _moment("look_at"),
        sa.Column("rungs_fired", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("ended_at", nullable=True),
        sa.Column("act", sa.Text(), nullable=True),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("musdes_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_role", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        _check(f"step IN ({STEPS})", "step_known"),
        _check("contested IN ('dinas', 'puskesos')", "contested_known"),
        _check(f"act IN ({ACTS})", "act_known"),
        _check(f"reason IN ({REASONS})", "reason_known"),
        _check(f"signed_role IN ({ROLES})", "signed_role_known"),
        _check("(ended_at IS NULL) OR (act IS NOT NULL OR step = 'answer')", "signed_or_unanswered"),
        _check("(act IS NULL) = (signed_by IS NULL)", "signed_by_somebody"),
        _check("(reason IS NULL) = (act IS DISTINCT FROM 'object')", "objected_for_a_reason"),
        _key("round_id", "rounds"),
        _key("signed_by", "users"),
        _key("office_id", "offices"),
        _key("on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_signoffs")),
    )
    open_ones = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_round_signoffs_round_id_area_code_open",
        "round_signoffs",
        ["round_id", "area_code"],
        unique=True,
        postgresql_where=open_ones,
    )
    op.create_index(
        "ix_round_signoffs_round_id_look_at", "round_signoffs", ["round_id", "look_at"], postgresql_where=open_ones
    )
    op.create_index("ix_round_signoffs_round_id_area_code_id", "round_signoffs", ["round_id", "area_code", "id"])


def _protect() -> None:
    table = "round_signoffs"
    secure(table)
    allow(table, "kawal_app", "SELECT, INSERT", IN_AREA)
    allow(table, "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    signed = "ended_at, act, target, musdes_on, reason, words, signed_by, signed_role, office_id, on_behalf_of"
    looked = "roles, due_at, deadline, look_at, rungs_fired, level, ended_at"
    for role, columns, condition in (("kawal_app", signed, IN_AREA), ("kawal_worker", looked, IS_SYSTEM)):
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {role}")
        op.execute(
            f"CREATE POLICY {role}_update ON {table} FOR UPDATE TO {role} USING ({condition}) WITH CHECK ({condition})"
        )
    op.execute(
        f"CREATE TRIGGER {table}_signed_once BEFORE UPDATE ON {table} FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) "
        "EXECUTE FUNCTION kawal_stays('a step that was signed stays so')",
    )
    op.execute(
        f"CREATE TRIGGER {table}_never_removed BEFORE DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
    )


def downgrade() -> None:
    raise RuntimeError("What villages and offices agreed on is not forgotten; restore a backup instead.")
