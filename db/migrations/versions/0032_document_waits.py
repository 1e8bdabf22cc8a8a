"""Repairs that wait for a paper of another office, and pauses that the API writes down."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, secure

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_SEEN: Final = IN_VIEW.format(column="area_code")
_KNOWN: Final = {
    "document": (
        "'birth_certificate', 'birth_statement', 'correction_letter', 'court_order', 'death_certificate', "
        "'death_statement', 'graduation_statement', 'health_letter', 'house_photo', 'kk', 'ktp', "
        "'marriage_certificate', 'musdes_minutes', 'relocation_letter', 'sptjm', 'withdrawal_statement'"
    ),
    "office": "'civil_registry_office', 'court', 'health_service', 'other_village', 'religious_affairs', 'school'",
    "reason": "'being_corrected', 'being_issued', 'being_replaced', 'hard_to_get_to', 'office_closed'",
    "begun_role": (
        "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', "
        "'inspectorate', 'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', "
        "'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', "
        "'subdistrict_head', 'village_council', 'village_head', 'village_operator'"
    ),
    "ended_because": "'attached', 'given_up', 'moved_on', 'ran_out'",
}
_PAUSED_BY_PEOPLE: Final = f"order_id IS NULL AND cause IN ('waiting_document', 'information_requested') AND {_SEEN}"


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _waits()
    # The clock of a task stands while somebody waits; until now only the worker stopped clocks.
    op.execute("GRANT INSERT ON clock_intervals TO kawal_app")
    op.execute("GRANT UPDATE (to_at) ON clock_intervals TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_insert ON clock_intervals FOR INSERT TO kawal_app WITH CHECK ({_PAUSED_BY_PEOPLE})"
    )
    op.execute(
        f"CREATE POLICY kawal_app_update ON clock_intervals FOR UPDATE TO kawal_app "
        f"USING ({_PAUSED_BY_PEOPLE}) WITH CHECK ({_PAUSED_BY_PEOPLE})"
    )


def _waits() -> None:
    op.create_table(
        "document_waits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.Uuid(), nullable=False),
        sa.Column("begun_role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("evidence_id", sa.Uuid(), nullable=True),
        *(
            sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"ck_document_waits_{column}_known"))
            for column, values in _KNOWN.items()
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_document_waits_ended_for_a_reason")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_document_waits_task_id_tasks")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_document_waits_update_id_updates")),
        sa.ForeignKeyConstraint(["begun_by"], ["users.id"], name=op.f("fk_document_waits_begun_by_users")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_document_waits_office_id_offices")),
        sa.ForeignKeyConstraint(["on_behalf_of"], ["users.id"], name=op.f("fk_document_waits_on_behalf_of_users")),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name=op.f("fk_document_waits_ended_by_users")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_document_waits_evidence_id_evidence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_waits")),
    )
    op.create_index(
        "uq_document_waits_task_id_open",
        "document_waits",
        ["task_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_document_waits_update_id", "document_waits", ["update_id"])
    op.create_index(
        "ix_document_waits_evidence_id",
        "document_waits",
        ["evidence_id"],
        postgresql_where=sa.text("evidence_id IS NOT NULL"),
    )
    secure("document_waits")
    allow("document_waits", "kawal_app", "SELECT", _SEEN)
    allow("document_waits", "kawal_app", "INSERT", f"{_SEEN} AND {IS_SELF.format(column='begun_by')}")
    allow("document_waits", "kawal_worker", "SELECT", IS_SYSTEM)
    op.execute("GRANT UPDATE (ended_at, ended_because, ended_by, evidence_id) ON document_waits TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON document_waits FOR UPDATE TO kawal_app "
        f"USING ({_SEEN}) WITH CHECK ({_SEEN} AND {IS_SELF.format(column='ended_by')})"
    )
    op.execute("GRANT UPDATE (ended_at, ended_because) ON document_waits TO kawal_worker")
    op.execute(
        f"CREATE POLICY kawal_worker_update ON document_waits FOR UPDATE TO kawal_worker "
        f"USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM})"
    )
    op.execute(
        "CREATE TRIGGER document_waits_stay BEFORE UPDATE ON document_waits FOR EACH ROW "
        "WHEN (OLD.ended_at IS NOT NULL AND NEW IS DISTINCT FROM OLD) "
        "EXECUTE FUNCTION kawal_stays('a wait that is over stays over')"
    )


def downgrade() -> None:
    raise RuntimeError("What was waited for is not forgotten; restore a backup instead.")
