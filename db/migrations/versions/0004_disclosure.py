"""Who saw clear values, requests to see many, and the role that answers to the persons themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SYSTEM, allow, forbid_changes, secure

revision = "0004"
down_revision = "0003"
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
ROLE_COLUMNS = (("memberships", "role"), ("task_grants", "role"), ("notifications", "to_role"))
PURPOSES = (
    "court_order",
    "emergency",
    "engine_diagnosis",
    "field_visit",
    "identity_verification",
    "inspection",
    "persons_request",
    "programme_delivery",
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table, column in ROLE_COLUMNS:
        _hold_to(table, column, ROLES)
    _read_log()
    _unmask_requests()


def _hold_to(table: str, column: str, values: tuple[str, ...]) -> None:
    name = f"ck_{table}_{column}_known"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({_listed(values)}))")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _read_log() -> None:
    op.create_table(
        "read_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("explanation", sa.LargeBinary(), nullable=False),
        sa.Column("items", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(f"purpose IN ({_listed(PURPOSES)})", name=op.f("ck_read_log_purpose_known")),
        sa.CheckConstraint(f"actor_role IN ({_listed(ROLES)})", name=op.f("ck_read_log_actor_role_known")),
        sa.CheckConstraint("subject IN ('engine', 'household', 'update')", name=op.f("ck_read_log_subject_known")),
        sa.CheckConstraint(
            "(subject = 'household') = (household_id IS NOT NULL AND update_id IS NULL)",
            name=op.f("ck_read_log_of_household"),
        ),
        sa.CheckConstraint("(subject = 'update') = (update_id IS NOT NULL)", name=op.f("ck_read_log_of_update")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_log")),
    )
    op.create_index("ix_read_log_area_code_id", "read_log", ["area_code", "id"])
    op.create_index("ix_read_log_household_id", "read_log", ["household_id"])
    op.create_index("ix_read_log_update_id", "read_log", ["update_id"])
    op.create_index("ix_read_log_batch_id", "read_log", ["batch_id"])
    op.create_index("ix_read_log_actor_id_id", "read_log", ["actor_id", "id"])
    secure("read_log")
    allow("read_log", "kawal_app", "SELECT, INSERT", IN_VIEW.format(column="area_code"))
    allow("read_log", "kawal_worker", "SELECT", IS_SYSTEM)
    forbid_changes("read_log")


def _unmask_requests() -> None:
    op.create_table(
        "unmask_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("desil", postgresql.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("explanation", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows_read", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(f"purpose IN ({_listed(PURPOSES)})", name=op.f("ck_unmask_requests_purpose_known")),
        sa.CheckConstraint("verdict IN ('approved', 'refused')", name=op.f("ck_unmask_requests_verdict_known")),
        sa.CheckConstraint(
            "decided_by IS DISTINCT FROM requested_by",
            name=op.f("ck_unmask_requests_four_eyes"),
        ),
        sa.CheckConstraint("rows_read <= rows", name=op.f("ck_unmask_requests_rows_bounded")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_unmask_requests_requested_by_users")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_unmask_requests_decided_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmask_requests")),
    )
    op.create_index("ix_unmask_requests_area_code_id", "unmask_requests", ["area_code", "id"])
    secure("unmask_requests")
    allow("unmask_requests", "kawal_app", "SELECT, INSERT", IN_VIEW.format(column="area_code"))
    allow("unmask_requests", "kawal_worker", "SELECT", IS_SYSTEM)
    # What was asked for stays as it was; only the answer and the count are written later.
    in_view = IN_VIEW.format(column="area_code")
    op.execute(
        "GRANT UPDATE (verdict, note, decided_by, decided_at, valid_until, rows_read) ON unmask_requests TO kawal_app",
    )
    op.execute(
        f"CREATE POLICY kawal_app_update ON unmask_requests FOR UPDATE TO kawal_app "
        f"USING ({in_view}) WITH CHECK ({in_view})",
    )


def downgrade() -> None:
    raise RuntimeError("The record of who read what is not taken away again; restore a backup instead.")
