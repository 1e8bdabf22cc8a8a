"""Appeals against rejections, and conflicts between two offices: cases that know what is contested."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import close_function

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_STAGES = (
    "'appeal', 'approval', 'conflict', 'deliberation', 'delivery', 'endorsement', 'identity_check', 'opinion', "
    "'repair', 'verification'"
)
_STATUSES = (
    "'applied', 'approved_local', 'checking', 'in_appeal', 'in_approval', 'in_conflict', 'in_deliberation', "
    "'in_delivery', 'in_endorsement', 'in_verification', 'lapsed', 'received', 'rejected', 'returned', 'superseded', "
    "'waiting_document', 'withdrawn'"
)
_OUTCOMES = "'forward', 'overturn', 'reject', 'return', 'uphold'"
_GROUNDS = "'facts_wrong', 'new_evidence', 'procedure', 'rule_misapplied'"
_WIDER: Final = (
    ("updates", "stage", _STAGES),
    ("updates", "status", _STATUSES),
    ("tasks", "stage", _STAGES),
    ("tasks", "outcome", _OUTCOMES),
    ("decisions", "stage", _STAGES),
    ("decisions", "outcome", _OUTCOMES),
)
_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
_SHOWN = """
        SELECT u.kind, u.status, u.stage, u.area_code, u.policy_version_id, u.reason,
               u.submitted_at, u.closed_at, t.due_at, u.level,
               EXISTS (SELECT FROM tasks a WHERE a.update_id = u.id AND a.outcome = 'uphold') AS upheld
"""
_COLUMNS = """kind text, status text, stage text, area_code text, policy_version_id uuid, reason text,
                   submitted_at timestamptz, closed_at timestamptz, due_at timestamptz, level smallint, upheld boolean"""
_STILL_SHOWN = "(u.closed_at IS NULL OR u.closed_at >= clock_timestamp() - kawal_period(u.area_code, 'tracking'))"
TRACK: Final = f"""
    CREATE FUNCTION kawal_track(code text)
    RETURNS TABLE ({_COLUMNS})
    LANGUAGE sql STABLE {_DEFINER} AS $$
        {_SHOWN}
        FROM updates u LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open'
        WHERE u.tracking_code = code AND {_STILL_SHOWN}
    $$
"""
# Whoever holds the code of a rejected case is told of its appeal too: the latest, where one was taken back.
TRACK_APPEAL: Final = f"""
    CREATE FUNCTION kawal_track_appeal(code text)
    RETURNS TABLE ({_COLUMNS}, tracking_code text)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        {_SHOWN}, u.tracking_code
        FROM updates rejected
        JOIN updates u ON u.appeal_of = rejected.id
        LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open'
        WHERE rejected.tracking_code = code AND {_STILL_SHOWN}
        ORDER BY u.id DESC LIMIT 1
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table, column, values in _WIDER:
        op.drop_constraint(op.f(f"ck_{table}_{column}_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{column}_known"), table, f"{column} IN ({values})")
    op.add_column("updates", sa.Column("contested", sa.Text(), nullable=True))
    op.add_column("updates", sa.Column("appeal_of", sa.Uuid(), nullable=True))
    op.add_column("updates", sa.Column("ground", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_updates_appeal_of_updates"), "updates", "updates", ["appeal_of"], ["id"])
    op.create_check_constraint(op.f("ck_updates_contested_known"), "updates", f"contested IN ({_STAGES})")
    op.create_check_constraint(op.f("ck_updates_ground_known"), "updates", f"ground IN ({_GROUNDS})")
    op.create_check_constraint(
        op.f("ck_updates_appeal_has_ground"), "updates", "(appeal_of IS NULL) = (ground IS NULL)"
    )
    op.create_index(
        "uq_updates_appeal_of",
        "updates",
        ["appeal_of"],
        unique=True,
        postgresql_where=sa.text("appeal_of IS NOT NULL AND status NOT IN ('lapsed', 'withdrawn')"),
    )
    op.execute("DROP FUNCTION kawal_track(text)")
    op.execute(TRACK)
    op.execute(TRACK_APPEAL)
    close_function("kawal_track(text)", to="kawal_app")
    close_function("kawal_track_appeal(text)", to="kawal_app")


def downgrade() -> None:
    raise RuntimeError("Appeals and conflicts cannot be told in the statuses of before; restore a backup instead.")
