"""Signing in by another issuer against what the account and its binding are at that moment; sessions are not removed."""

from __future__ import annotations

from alembic import op

from db.migrations.row_security import close_function

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# Held against a disabling, whose trigger then ends the session that begins here, and against an unbinding.
HOLD = """
    CREATE FUNCTION kawal_hold_vouched(account uuid, of_issuer text, of_subject text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM 1 FROM foreign_identities f JOIN users u ON u.id = f.user_id
        WHERE u.id = account AND f.issuer = of_issuer AND f.subject = of_subject AND NOT u.disabled FOR SHARE;
        RETURN FOUND;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute(HOLD)
    close_function("kawal_hold_vouched(uuid, text, text)", to="kawal_app")
    # What is over is forgotten by the worker's `kawal_erase_rows` alone.
    op.execute("DROP POLICY kawal_app_delete ON sessions")
    op.execute("REVOKE DELETE ON sessions FROM kawal_app")


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
