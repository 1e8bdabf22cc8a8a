"""Sessions and refresh tokens; who is asking is answered together with whether their session still lives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IS_SELF, allow, close_function, secure

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SEATS = """
    CREATE FUNCTION kawal_seats(wanted uuid, at timestamptz, in_session uuid DEFAULT NULL)
    RETURNS TABLE (display_name text, role text, office_id uuid, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.display_name, m.role, m.office_id, m.area_code
        FROM users u LEFT JOIN memberships m
          ON m.user_id = u.id AND m.valid_from <= at AND (m.valid_to IS NULL OR m.valid_to > at)
        WHERE u.id = wanted AND NOT u.disabled
          AND (in_session IS NULL OR EXISTS (
              SELECT 1 FROM sessions s
              WHERE s.id = in_session AND s.user_id = u.id AND s.ended_at IS NULL AND s.expires_at > at))
    $$
"""
HOLDER = """
    CREATE FUNCTION kawal_refresh_holder(wanted bytea)
    RETURNS TABLE (user_id uuid, session_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT t.user_id, t.session_id FROM refresh_tokens t WHERE t.digest = wanted
    $$
"""
END_SESSIONS = """
    CREATE FUNCTION kawal_end_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    BEGIN
        UPDATE sessions SET ended_at = clock_timestamp(),
               ended_because = CASE WHEN new.disabled THEN 'account_disabled' ELSE 'password_changed' END
        WHERE user_id = new.id AND ended_at IS NULL;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('browser', 'token')", name=op.f("ck_sessions_kind_known")),
        sa.CheckConstraint(
            "ended_because IN ('account_disabled', 'logged_out', 'password_changed', 'refresh_reused', 'revoked')",
            name=op.f("ck_sessions_ended_because_known"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_sessions_secret_digest")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_refresh_tokens_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"])
    for table, commands in (
        ("sessions", "SELECT, INSERT, UPDATE, DELETE"),
        ("refresh_tokens", "SELECT, INSERT, UPDATE"),
    ):
        secure(table)
        allow(table, "kawal_app", commands, IS_SELF.format(column="user_id"))
    op.execute("DROP FUNCTION kawal_seats(uuid, timestamptz)")
    op.execute(SEATS)
    close_function("kawal_seats(uuid, timestamptz, uuid)")
    op.execute(HOLDER)
    close_function("kawal_refresh_holder(bytea)", to="kawal_app")
    op.execute(END_SESSIONS)
    op.execute("REVOKE ALL ON FUNCTION kawal_end_sessions() FROM PUBLIC")
    op.execute(
        """
        CREATE TRIGGER users_end_sessions AFTER UPDATE OF password_hash, disabled ON users FOR EACH ROW
        WHEN (new.disabled OR new.password_hash IS DISTINCT FROM old.password_hash)
        EXECUTE FUNCTION kawal_end_sessions()
        """,
    )


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
