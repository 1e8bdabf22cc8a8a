"""Keys of machines: who holds one is answered together with what the account is at that moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, allow, close_function, secure

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

AT_DESK = f"current_setting('kawal.desk', true) = 'people' AND {IN_VIEW.format(column='area_code')}"

HOLDER = """
    CREATE FUNCTION kawal_api_key(wanted bytea, at timestamptz)
    RETURNS TABLE (key_id uuid, user_id uuid, key_area text, scopes text[], requests_per_minute integer, ended boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT k.id, k.user_id, k.area_code, k.scopes, k.requests_per_minute,
               k.revoked_at IS NOT NULL OR k.expires_at <= at OR coalesce(s.expires_at <= at, false)
        FROM api_key_secrets s JOIN api_keys k ON k.id = s.key_id WHERE s.digest = wanted
    $$
"""
NOTE_USE = """
    CREATE FUNCTION kawal_note_key_use(wanted bytea, at timestamptz, network text, every interval) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        UPDATE api_key_secrets SET last_used_at = at, last_network = network
        WHERE digest = wanted AND (last_used_at IS NULL OR last_used_at <= at - every)
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        *(
            sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_api_keys_{column}_users"))
            for column in ("user_id", "created_by", "revoked_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"])
    op.create_table(
        "api_key_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_network", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_api_key_secrets_key_id_api_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key_secrets")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_secrets_digest")),
    )
    op.create_index(op.f("ix_api_key_secrets_key_id"), "api_key_secrets", ["key_id"])
    _secure()
    op.execute(HOLDER)
    close_function("kawal_api_key(bytea, timestamptz)", to="kawal_app")
    op.execute(NOTE_USE)
    close_function("kawal_note_key_use(bytea, timestamptz, text, interval)", to="kawal_app")


def _secure() -> None:
    """Keys are seen at the desk of people, in the area that they are for; digests are read by nobody."""
    for table in ("api_keys", "api_key_secrets"):
        secure(table)
    allow("api_keys", "kawal_app", "SELECT, INSERT", AT_DESK)
    op.execute("GRANT UPDATE (expires_at, revoked_at, revoked_by) ON api_keys TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON api_keys FOR UPDATE TO kawal_app USING ({AT_DESK}) WITH CHECK ({AT_DESK})"
    )
    of_key = "EXISTS (SELECT 1 FROM api_keys k WHERE k.id = key_id)"
    readable = "id, key_id, issued_at, expires_at, last_used_at, last_network"
    op.execute(f"GRANT SELECT ({readable}), INSERT, UPDATE (expires_at) ON api_key_secrets TO kawal_app")
    op.execute(f"CREATE POLICY kawal_app_select ON api_key_secrets FOR SELECT TO kawal_app USING ({of_key})")
    op.execute(f"CREATE POLICY kawal_app_insert ON api_key_secrets FOR INSERT TO kawal_app WITH CHECK ({of_key})")
    op.execute(
        f"CREATE POLICY kawal_app_update ON api_key_secrets FOR UPDATE TO kawal_app USING ({of_key}) WITH CHECK ({of_key})"
    )


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
