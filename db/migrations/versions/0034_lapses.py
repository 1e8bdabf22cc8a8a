"""Notices that a repair will be given up, and cases that reopen a lapsed one."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SYSTEM, allow, close_function, secure

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_REASONS: Final = "'disaster', 'household_away', 'not_reached', 'operator_at_fault', 'paper_came_late'"
_DEFINER: Final = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
_STILL_SHOWN: Final = (
    "(u.closed_at IS NULL OR u.closed_at >= clock_timestamp() - kawal_period(u.area_code, 'tracking'))"
)
_SHOWN: Final = """
        SELECT u.kind, u.status, u.stage, u.area_code, u.policy_version_id, u.reason,
               u.submitted_at, u.closed_at, t.due_at, u.level,
               EXISTS (SELECT FROM tasks a WHERE a.update_id = u.id AND a.outcome = 'uphold') AS upheld, n.lapses_at
"""
_COLUMNS: Final = """kind text, status text, stage text, area_code text, policy_version_id uuid, reason text,
                   submitted_at timestamptz, closed_at timestamptz, due_at timestamptz, level smallint, upheld boolean,
                   lapses_at timestamptz"""
_OPEN_WORK: Final = """
        LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open'
        LEFT JOIN lapse_notices n ON n.task_id = t.id
"""
TRACK: Final = f"""
    CREATE FUNCTION kawal_track(code text)
    RETURNS TABLE ({_COLUMNS})
    LANGUAGE sql STABLE {_DEFINER} AS $$
        {_SHOWN} FROM updates u {_OPEN_WORK} WHERE u.tracking_code = code AND {_STILL_SHOWN}
    $$
"""
# Whoever holds the code of a lapsed case is told of the one that carries it on.
TRACK_REOPENED: Final = f"""
    CREATE FUNCTION kawal_track_reopened(code text)
    RETURNS TABLE ({_COLUMNS}, tracking_code text)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        {_SHOWN}, u.tracking_code
        FROM updates lapsed JOIN updates u ON u.reopen_of = lapsed.id {_OPEN_WORK}
        WHERE lapsed.tracking_code = code AND {_STILL_SHOWN}
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("updates", sa.Column("reopen_of", sa.Uuid(), nullable=True))
    op.add_column("updates", sa.Column("reopen_reason", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_updates_reopen_of_updates"), "updates", "updates", ["reopen_of"], ["id"])
    op.create_check_constraint(op.f("ck_updates_reopen_reason_known"), "updates", f"reopen_reason IN ({_REASONS})")
    op.create_check_constraint(
        op.f("ck_updates_reopening_has_reason"), "updates", "(reopen_of IS NULL) = (reopen_reason IS NULL)"
    )
    op.create_index(
        "uq_updates_reopen_of",
        "updates",
        ["reopen_of"],
        unique=True,
        postgresql_where=sa.text("reopen_of IS NOT NULL"),
    )
    op.create_table(
        "lapse_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_lapse_notices_task_id_tasks")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_lapse_notices_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lapse_notices")),
        sa.UniqueConstraint("task_id", name=op.f("uq_lapse_notices_task_id")),
    )
    op.create_index("ix_lapse_notices_update_id", "lapse_notices", ["update_id"])
    secure("lapse_notices")
    allow("lapse_notices", "kawal_app", "SELECT", IN_VIEW.format(column="area_code"))
    allow("lapse_notices", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    op.execute("GRANT UPDATE (lapses_at, deadline, lapsed_at) ON lapse_notices TO kawal_worker")
    op.execute(
        f"CREATE POLICY kawal_worker_update ON lapse_notices FOR UPDATE TO kawal_worker "
        f"USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM})"
    )
    op.execute(
        "CREATE TRIGGER lapse_notices_stay BEFORE UPDATE ON lapse_notices FOR EACH ROW "
        "WHEN (OLD.lapsed_at IS NOT NULL AND NEW IS DISTINCT FROM OLD) "
        "EXECUTE FUNCTION kawal_stays('a case that has lapsed stays lapsed')"
    )
    op.execute("DROP FUNCTION kawal_track(text)")
    op.execute(TRACK)
    op.execute(TRACK_REOPENED)
    close_function("kawal_track(text)", to="kawal_app")
    close_function("kawal_track_reopened(text)", to="kawal_app")


def downgrade() -> None:
    raise RuntimeError("Cases that were reopened cannot be told without what they reopen; restore a backup instead.")
