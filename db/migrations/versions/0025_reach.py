"""What an account reaches: roles and areas, those lent to it too; and what its holder lets fall with a membership."""

from __future__ import annotations

from alembic import op

from db.migrations.row_security import close_function

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Now or later: an account is governed with all that it is going to be.
REACH = """
    CREATE FUNCTION kawal_reach(wanted uuid, at timestamptz) RETURNS TABLE (role text, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT m.role, m.area_code FROM memberships m
        WHERE m.user_id = wanted AND (m.valid_to IS NULL OR m.valid_to > at)
        UNION
        SELECT m.role, m.area_code FROM delegations d JOIN memberships m ON m.id = d.membership_id
        WHERE d.delegate_id = wanted AND d.valid_to > at AND (d.ended_at IS NULL OR d.ended_at > at)
          AND (m.valid_to IS NULL OR m.valid_to > at)
    $$
"""
LENT = """
    CREATE FUNCTION kawal_lent_to_holder(of_membership uuid, at timestamptz) RETURNS TABLE (role text, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT DISTINCT m.role, m.area_code
        FROM memberships own JOIN delegations d ON d.delegate_id = own.user_id
        JOIN memberships m ON m.id = d.membership_id AND m.valid_from <= at AND (m.valid_to IS NULL OR m.valid_to > at)
        WHERE own.id = of_membership AND d.valid_from <= at AND d.valid_to > at
          AND (d.ended_at IS NULL OR d.ended_at > at)
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("DROP FUNCTION kawal_reach(uuid, timestamptz)")
    op.execute(REACH)
    close_function("kawal_reach(uuid, timestamptz)", to="kawal_app")
    op.execute(LENT)
    close_function("kawal_lent_to_holder(uuid, timestamptz)", to="kawal_worker")


def downgrade() -> None:
    raise RuntimeError("Authority is not given back; restore a backup instead.")
