"""Signing in against what the account is at that moment, and answers to a refresh that got lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import close_function

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Held against a reset and a disabling, whose trigger then ends the session that begins here.
HOLD = """
    CREATE FUNCTION kawal_hold_credentials(account uuid, stored text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM 1 FROM users WHERE id = account AND password_hash = stored AND NOT disabled FOR SHARE;
        RETURN FOUND;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute(HOLD)
    close_function("kawal_hold_credentials(uuid, text)", to="kawal_app")
    op.add_column("refresh_tokens", sa.Column("replaced_by", sa.LargeBinary(), nullable=True))
    op.execute("GRANT UPDATE (replaced_by) ON refresh_tokens TO kawal_app")


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
