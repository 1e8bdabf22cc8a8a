"""The API asks who can decide a task, for supervisors who give it to somebody."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("GRANT EXECUTE ON FUNCTION kawal_candidates(text[], text[], timestamptz) TO kawal_app")


def downgrade() -> None:
    op.execute("REVOKE EXECUTE ON FUNCTION kawal_candidates(text[], text[], timestamptz) FROM kawal_app")
