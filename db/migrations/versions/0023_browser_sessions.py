"""Sessions of browsers: whose cookie it is, asked at every request together with their seats."""

from __future__ import annotations

from alembic import op

from db.migrations.row_security import close_function

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

HOLDER = """
    CREATE FUNCTION kawal_browser_session(wanted bytea)
    RETURNS TABLE (session_id uuid, user_id uuid, seen_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT s.id, s.user_id, s.seen_at, s.ends_at FROM sessions s
        WHERE s.secret_digest = wanted AND s.kind = 'browser'
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute(HOLDER)
    close_function("kawal_browser_session(bytea)", to="kawal_app")


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
