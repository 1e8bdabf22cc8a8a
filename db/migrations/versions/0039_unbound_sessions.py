"""Taking the name at another issuer away from an account ends what was begun in browsers."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

KNOWN = "ck_sessions_ended_because_known"
REASONS = "'account_disabled', 'identity_unbound', 'logged_out', 'password_changed', 'refresh_reused', 'revoked'"
# Whoever signed in by the issuer is not told apart from who had a password: they sign in again.
END = """
    CREATE FUNCTION kawal_end_unbound_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        UPDATE sessions SET ended_at = clock_timestamp(), ended_because = 'identity_unbound'
        WHERE user_id = old.user_id AND kind = 'browser' AND ended_at IS NULL;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.drop_constraint(op.f(KNOWN), "sessions", type_="check")
    op.create_check_constraint(op.f(KNOWN), "sessions", f"ended_because IN ({REASONS})")
    op.execute(END)
    op.execute("REVOKE ALL ON FUNCTION kawal_end_unbound_sessions() FROM PUBLIC")
    op.execute(
        """
        CREATE TRIGGER foreign_identities_end_sessions AFTER DELETE ON foreign_identities FOR EACH ROW
        EXECUTE FUNCTION kawal_end_unbound_sessions()
        """
    )


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
