"""Comments on a case; and officers who tell each other of the cases in their areas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, secure

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SEEN = IN_VIEW.format(column="area_code")


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_comments_update_id_updates")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_comments_author_id_users")),
        sa.ForeignKeyConstraint(["on_behalf_of"], ["users.id"], name=op.f("fk_comments_on_behalf_of_users")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_comments_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index("ix_comments_update_id_id", "comments", ["update_id", "id"])
    secure("comments")
    allow("comments", "kawal_app", "SELECT", SEEN)
    allow("comments", "kawal_app", "INSERT", f"{SEEN} AND {IS_SELF.format(column='author_id')}")
    allow("comments", "kawal_worker", "SELECT", IS_SYSTEM)
    # Nothing of a comment ever changes but the key that its text is sealed under.
    op.execute(
        "CREATE TRIGGER comments_append_only BEFORE DELETE OR TRUNCATE ON comments "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER comments_upkeep_only BEFORE UPDATE ON comments "
        "FOR EACH ROW EXECUTE FUNCTION kawal_refuse_update('text', '')"
    )
    op.execute("DROP POLICY kawal_app_insert ON notifications")
    op.execute(f"CREATE POLICY kawal_app_insert ON notifications FOR INSERT TO kawal_app WITH CHECK ({SEEN})")


def downgrade() -> None:
    raise RuntimeError("Comments are not forgotten; restore a backup instead.")
