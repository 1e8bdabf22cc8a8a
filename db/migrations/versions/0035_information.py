"""Questions to offices outside a case, and the role of whoever answers there."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, secure

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_SEEN: Final = IN_VIEW.format(column="area_code")
_ROLES: Final = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'peer_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', "
    "'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', "
    "'subdistrict_head', 'village_council', 'village_head', 'village_operator'"
)
_WITH_ROLES: Final = (
    ("memberships", "role"),
    ("notifications", "to_role"),
    ("task_grants", "role"),
    ("read_log", "actor_role"),
    ("policy_comments", "role"),
    ("clock_orders", "entered_role"),
    ("minutes", "role"),
    ("document_waits", "begun_role"),
    ("round_terms", "entered_role"),
)
_KNOWN: Final = {
    "office": "'civil_registry_office', 'court', 'health_service', 'other_village', 'religious_affairs', 'school'",
    "asked_role": _ROLES,
    "state": "'answered', 'moved_on', 'open', 'withdrawn'",
}


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table, column in _WITH_ROLES:
        op.drop_constraint(op.f(f"ck_{table}_{column}_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{column}_known"), table, f"{column} IN ({_ROLES})")
    op.create_table(
        "information_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_role", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rungs_fired", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("pause_id", sa.Uuid(), nullable=False),
        sa.Column("stands_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.Column("of_the_office", sa.Boolean(), nullable=True),
        sa.Column("evidence_id", sa.Uuid(), nullable=True),
        *(
            sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"ck_information_requests_{column}_known"))
            for column, values in _KNOWN.items()
        ),
        sa.CheckConstraint(
            "(state = 'open') = (ended_at IS NULL)", name=op.f("ck_information_requests_ended_once_not_open")
        ),
        sa.CheckConstraint(
            "(state = 'answered') = (answer_id IS NOT NULL)", name=op.f("ck_information_requests_answered_by_words")
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_information_requests_{column}_{table}"))
            for column, table in (
                ("task_id", "tasks"),
                ("update_id", "updates"),
                ("office_id", "offices"),
                ("question_id", "comments"),
                ("asked_by", "users"),
                ("ended_by", "users"),
                ("answer_id", "comments"),
                ("evidence_id", "evidence"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_information_requests")),
    )
    op.create_index(
        "uq_information_requests_task_id_office_open",
        "information_requests",
        ["task_id", "office"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_information_requests_update_id", "information_requests", ["update_id"])
    op.create_index(
        "ix_information_requests_area_code_id_open",
        "information_requests",
        ["area_code", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    secure("information_requests")
    allow("information_requests", "kawal_app", "SELECT", _SEEN)
    allow("information_requests", "kawal_app", "INSERT", f"{_SEEN} AND {IS_SELF.format(column='asked_by')}")
    allow("information_requests", "kawal_worker", "SELECT", IS_SYSTEM)
    op.execute(
        "GRANT UPDATE (state, ended_at, ended_by, answer_id, of_the_office, evidence_id) "
        "ON information_requests TO kawal_app"
    )
    op.execute(
        f"CREATE POLICY kawal_app_update ON information_requests FOR UPDATE TO kawal_app "
        f"USING ({_SEEN}) WITH CHECK ({_SEEN} AND {IS_SELF.format(column='ended_by')})"
    )
    op.execute(
        "GRANT UPDATE (state, ended_at, due_at, deadline, rungs_fired, resumed_at) "
        "ON information_requests TO kawal_worker"
    )
    op.execute(
        f"CREATE POLICY kawal_worker_update ON information_requests FOR UPDATE TO kawal_worker "
        f"USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM})"
    )
    op.execute(
        "CREATE TRIGGER information_requests_stay BEFORE UPDATE ON information_requests FOR EACH ROW "
        "WHEN (OLD.state <> 'open' AND NEW IS DISTINCT FROM OLD) "
        "EXECUTE FUNCTION kawal_stays('a question that is over stays over')"
    )


def downgrade() -> None:
    raise RuntimeError("Questions and answers are not forgotten; restore a backup instead.")
