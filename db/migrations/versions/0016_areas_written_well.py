"""What is held over an area is held over one: a text of another form is read as several areas, or as the nation."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AREA_OR_NATION = r"^(\*|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?)$"


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table in ("api_keys", "delegations", "memberships", "offices", "users"):
        op.create_check_constraint(op.f(f"ck_{table}_area_code_well_formed"), table, f"area_code ~ '{AREA_OR_NATION}'")


def downgrade() -> None:
    raise RuntimeError("Authority is not given back; restore a backup instead.")
