"""Tasks that are put aside while somebody looks in the field, and the pause of their clock."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_CAUSES: Final = (
    "'area_suspended', 'civil_registry_unavailable', 'information_requested', 'recorded_outage', 'returned', "
    "'waiting_document'"
)
_STATUSES: Final = "'cancelled', 'decided', 'open'"


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _know(f"'ground_check', {_CAUSES}", f"{_STATUSES}, 'put_aside'")
    op.create_index(
        "uq_tasks_update_id_put_aside",
        "tasks",
        ["update_id"],
        unique=True,
        postgresql_where=sa.text("status = 'put_aside'"),
    )


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.drop_index("uq_tasks_update_id_put_aside", table_name="tasks", postgresql_where=sa.text("status = 'put_aside'"))
    op.execute("UPDATE tasks SET status = 'cancelled' WHERE status = 'put_aside'")
    op.execute("DELETE FROM clock_intervals WHERE cause = 'ground_check'")
    _know(_CAUSES, _STATUSES)


def _know(causes: str, statuses: str) -> None:
    for table, column, known in (("clock_intervals", "cause", causes), ("tasks", "status", statuses)):
        op.drop_constraint(op.f(f"ck_{table}_{column}_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{column}_known"), table, f"{column} IN ({known})")
