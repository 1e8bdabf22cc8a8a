"""Failed attempts to sign in, counted by account and by address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IS_KNOWN, allow, secure

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        "sign_in_tallies",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_tallies")),
    )
    op.create_index(op.f("ix_sign_in_tallies_last_at"), "sign_in_tallies", ["last_at"])
    secure("sign_in_tallies")
    allow("sign_in_tallies", "kawal_app", "SELECT, INSERT, UPDATE, DELETE", IS_KNOWN)


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
