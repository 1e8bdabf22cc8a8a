"""Signed checkpoints of the audit trail, the ends of streams that they cover, and the public keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IS_SYSTEM, allow, forbid_changes, secure

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("audit_keys", "audit_checkpoints", "audit_marks")


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        "audit_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("endorsed_by", sa.Text(), nullable=True),
        sa.Column("endorsement", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endorsed_by"], ["audit_keys.key_id"], name=op.f("fk_audit_keys_endorsed_by_audit_keys")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_audit_keys")),
        sa.UniqueConstraint("public_key", name=op.f("uq_audit_keys_public_key")),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("streams", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["audit_keys.key_id"], name=op.f("fk_audit_checkpoints_key_id_audit_keys")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_marks",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "checkpoint", name=op.f("pk_audit_marks")),
    )
    for table in TABLES:
        secure(table)
        allow(table, "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
        forbid_changes(table)


def downgrade() -> None:
    raise RuntimeError("What proves the trail is not taken away; restore a backup instead.")
