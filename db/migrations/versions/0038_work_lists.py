"""The work lists of a round: what each village is to verify again, and how its order was moved by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, forbid_changes, secure

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

ROLES = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'peer_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', "
    "'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', "
    "'subdistrict_head', 'village_council', 'village_head', 'village_operator'"
)
REASONS = "'duplicate', 'incomplete', 'mismatched', 'never_verified', 'old', 'unchecked'"
MOVES = (
    "'hamlet_left_out', 'one_visit', 'reported_change', 'reported_hardship', 'unreachable_now', 'verified_elsewhere'"
)
IN_AREA = IN_VIEW.format(column="area_code")


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("rounds", sa.Column("policy_version_id", sa.Uuid(), nullable=True))
    op.add_column("rounds", sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_rounds_policy_version_id_policies"), "rounds", "policies", ["policy_version_id"], ["id"]
    )
    op.add_column("round_baseline", sa.Column("hamlet", sa.Text(), nullable=True))
    op.add_column(
        "round_baseline", sa.Column("had_case", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute("GRANT UPDATE (policy_version_id, listed_at) ON rounds TO kawal_worker")
    _villages()
    _targets()
    _moves()


def _area() -> sa.Column[object]:
    return sa.Column("area_code", sa.Text(collation="C"), nullable=False)


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _villages() -> None:
    op.create_table(
        "round_villages",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("operators", sa.SmallInteger(), nullable=False),
        sa.Column("working_days", sa.SmallInteger(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("capacity >= 0 AND listed >= 0", name=op.f("ck_round_villages_counts_not_negative")),
        _key("round_villages", "round_id", "rounds"),
        sa.PrimaryKeyConstraint("round_id", "area_code", name=op.f("pk_round_villages")),
    )
    secure("round_villages")
    allow("round_villages", "kawal_app", "SELECT", IN_AREA)
    allow("round_villages", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    _may_update("round_villages", "version")


def _targets() -> None:
    op.create_table(
        "round_targets",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("data_of", sa.Date(), nullable=False),
        sa.CheckConstraint(f"reasons <@ ARRAY[{REASONS}]", name=op.f("ck_round_targets_reasons_known")),
        sa.CheckConstraint("cardinality(reasons) > 0", name=op.f("ck_round_targets_listed_for_a_reason")),
        sa.CheckConstraint("rank > 0 AND position > 0", name=op.f("ck_round_targets_places_from_one")),
        _key("round_targets", "round_id", "rounds"),
        sa.PrimaryKeyConstraint("round_id", "household_id", name=op.f("pk_round_targets")),
    )
    op.create_index(
        "ix_round_targets_round_id_area_code_position", "round_targets", ["round_id", "area_code", "position"]
    )
    secure("round_targets")
    allow("round_targets", "kawal_app", "SELECT", IN_AREA)
    allow("round_targets", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    _may_update("round_targets", "position")


def _moves() -> None:
    op.create_table(
        "round_moves",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("from_position", sa.Integer(), nullable=False),
        sa.Column("to_position", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("moved_by", sa.Uuid(), nullable=False),
        sa.Column("moved_role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"reason IN ({MOVES})", name=op.f("ck_round_moves_reason_known")),
        sa.CheckConstraint(f"moved_role IN ({ROLES})", name=op.f("ck_round_moves_moved_role_known")),
        sa.CheckConstraint("to_position <> from_position", name=op.f("ck_round_moves_moved_somewhere")),
        _key("round_moves", "round_id", "rounds"),
        _key("round_moves", "moved_by", "users"),
        _key("round_moves", "office_id", "offices"),
        _key("round_moves", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_moves")),
    )
    op.create_index("ix_round_moves_round_id_area_code", "round_moves", ["round_id", "area_code", "id"])
    secure("round_moves")
    allow("round_moves", "kawal_app", "SELECT", IN_AREA)
    allow("round_moves", "kawal_app", "INSERT", f"{IS_SELF.format(column='moved_by')} AND {IN_AREA}")
    allow("round_moves", "kawal_worker", "SELECT", IS_SYSTEM)
    forbid_changes("round_moves")


def _may_update(table: str, columns: str) -> None:
    op.execute(f"GRANT UPDATE ({columns}) ON {table} TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON {table} FOR UPDATE TO kawal_app USING ({IN_AREA}) WITH CHECK ({IN_AREA})"
    )


def downgrade() -> None:
    raise RuntimeError("What villages were asked for is not forgotten; restore a backup instead.")
