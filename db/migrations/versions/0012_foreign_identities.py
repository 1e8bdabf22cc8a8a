"""People whom another issuer vouches for, and the moment before which its tokens are refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SELF, allow, close_function, secure

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MINE = IS_SELF.format(column="user_id")
# Seen as far as the account is; changed where it is administered.
SEEN = "current_setting('kawal.desk', true) = 'people' AND EXISTS (SELECT 1 FROM users u WHERE u.id = user_id)"
MANAGED = (
    "current_setting('kawal.desk', true) = 'people' AND EXISTS "
    f"(SELECT 1 FROM users u WHERE u.id = user_id AND {IN_VIEW.format(column='u.area_code')})"
)

HOLDER = """
    CREATE FUNCTION kawal_identity_holder(of_issuer text, of_subject text)
    RETURNS TABLE (user_id uuid, tokens_not_before timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.id, u.tokens_not_before FROM foreign_identities f JOIN users u ON u.id = f.user_id
        WHERE f.issuer = of_issuer AND f.subject = of_subject
    $$
"""
REFUSE = """
    CREATE FUNCTION kawal_refuse_tokens_before(at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        UPDATE users SET tokens_not_before = greatest(at, tokens_not_before)
        WHERE id::text = current_setting('kawal.actor', true)
    $$
"""
ON_CHANGE = """
    CREATE FUNCTION kawal_refuse_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        new.tokens_not_before := clock_timestamp();
        RETURN new;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("users", sa.Column("tokens_not_before", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "foreign_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bound_by", sa.Uuid(), nullable=True),
        *(
            sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_foreign_identities_{column}_users"))
            for column in ("user_id", "bound_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_foreign_identities_issuer_subject")),
        sa.UniqueConstraint("user_id", "issuer", name=op.f("uq_foreign_identities_user_id_issuer")),
    )
    secure("foreign_identities")
    allow("foreign_identities", "kawal_app", "SELECT", f"{MINE} OR ({SEEN})")
    # Whoever signs in for the first time binds themselves; the service has asked whether the issuer's setting lets them.
    allow("foreign_identities", "kawal_app", "INSERT", f"{MINE} OR ({MANAGED})")
    allow("foreign_identities", "kawal_app", "DELETE", MANAGED)
    op.execute(HOLDER)
    close_function("kawal_identity_holder(text, text)", to="kawal_app")
    op.execute(REFUSE)
    close_function("kawal_refuse_tokens_before(timestamptz)", to="kawal_app")
    op.execute(ON_CHANGE)
    op.execute("REVOKE ALL ON FUNCTION kawal_refuse_tokens() FROM PUBLIC")
    op.execute(
        """
        CREATE TRIGGER users_refuse_tokens BEFORE UPDATE OF password_hash, disabled ON users FOR EACH ROW
        WHEN (new.disabled OR new.password_hash IS DISTINCT FROM old.password_hash)
        EXECUTE FUNCTION kawal_refuse_tokens()
        """,
    )


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
