"""Several who decide one task, each once; and decisions that silence has taken."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("ALTER TABLE decisions DROP CONSTRAINT uq_decisions_task_id")
    op.execute(
        "ALTER TABLE decisions ADD CONSTRAINT uq_decisions_task_id_actor_id UNIQUE NULLS NOT DISTINCT (task_id, actor_id)"
    )
    op.execute("ALTER TABLE decisions DROP CONSTRAINT ck_decisions_decided_by_known")
    op.execute(
        "ALTER TABLE decisions ADD CONSTRAINT ck_decisions_decided_by_known "
        "CHECK (decided_by IN ('officer', 'partner', 'system', 'timeout'))"
    )


def downgrade() -> None:
    raise RuntimeError("Decisions of several on one task cannot be undone; restore a backup instead.")
