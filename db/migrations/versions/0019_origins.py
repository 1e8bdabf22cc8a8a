"""From where an act came: what its events say of it, and the traces, sealed apart and to be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_KNOWN, IS_SYSTEM, allow, secure

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OWN = f"(area_code IS NULL AND {IS_KNOWN}) OR {IN_VIEW.format(column='area_code')}"

# Whoever erases what was asked erases from where.
FORGET_WITH_REQUEST = """
    CREATE FUNCTION kawal_forget_origin() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        NEW.origin := NULL;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("audit_events", sa.Column("origin", postgresql.JSONB(), nullable=True))
    op.add_column("idempotency_keys", sa.Column("origin", sa.LargeBinary(), nullable=True))
    op.add_column("ministry_answers", sa.Column("origin", sa.LargeBinary(), nullable=True))
    op.create_table(
        "audit_origins",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "commitment", name=op.f("pk_audit_origins")),
    )
    secure("audit_origins")
    allow("audit_origins", "kawal_app", "SELECT, INSERT", OWN)
    allow("audit_origins", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    op.execute(
        "CREATE TRIGGER audit_origins_upkeep_only BEFORE UPDATE ON audit_origins FOR EACH ROW "
        "EXECUTE FUNCTION kawal_refuse_update('sealed', '')",
    )
    op.execute("DROP TRIGGER ministry_answers_upkeep_only ON ministry_answers")
    op.execute(
        "CREATE TRIGGER ministry_answers_upkeep_only BEFORE UPDATE ON ministry_answers FOR EACH ROW "
        "EXECUTE FUNCTION kawal_refuse_update('note,origin', 'note')",
    )
    op.execute(FORGET_WITH_REQUEST)
    op.execute(
        "CREATE TRIGGER idempotency_keys_origin_goes BEFORE UPDATE ON idempotency_keys FOR EACH ROW "
        "WHEN (NEW.request IS NULL AND NEW.origin IS NOT NULL) EXECUTE FUNCTION kawal_forget_origin()",
    )


def downgrade() -> None:
    raise RuntimeError("What was recorded is not taken away again; restore a backup instead.")
