"""The baseline of a round: what the registry believed of each household when it opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SYSTEM, allow, forbid_changes, secure

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TOPICS = (
    "'authority_changed', 'signal_deadline_moved', 'signal_ministry_answer', 'signal_round_moved', 'start_minutes', "
    "'start_round', 'start_update'"
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("rounds", sa.Column("baseline_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck_outbox_topic_known"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_topic_known"), "outbox", f"topic IN ({TOPICS})")
    op.create_table(
        "round_baseline",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("members", sa.SmallInteger(), nullable=False),
        sa.Column("data_of", sa.Date(), nullable=False),
        sa.Column("age_days", sa.Integer(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("match_state", sa.Text(), nullable=False),
        sa.Column("duplicates", sa.SmallInteger(), nullable=False),
        sa.Column("completeness", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "match_state IN ('matched', 'mismatched', 'unknown')", name=op.f("ck_round_baseline_match_state_known")
        ),
        sa.CheckConstraint("completeness BETWEEN 0 AND 100", name=op.f("ck_round_baseline_completeness_per_cent")),
        sa.CheckConstraint("age_days >= 0", name=op.f("ck_round_baseline_age_not_negative")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_baseline_round_id_rounds")),
        sa.PrimaryKeyConstraint("round_id", "household_id", name=op.f("pk_round_baseline")),
    )
    op.create_index("ix_round_baseline_round_id_area_code", "round_baseline", ["round_id", "area_code", "household_id"])
    secure("round_baseline")
    allow("round_baseline", "kawal_app", "SELECT", IN_VIEW.format(column="area_code"))
    allow("round_baseline", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    forbid_changes("round_baseline")
    op.execute("GRANT UPDATE (baseline_at) ON rounds TO kawal_worker")
    # What is done by a worker that is late stays possible.
    op.execute("DROP TRIGGER rounds_closed_once ON rounds")
    op.execute(
        "CREATE TRIGGER rounds_closed_once BEFORE UPDATE OF version, closed_at, closed_by ON rounds FOR EACH ROW "
        "WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION kawal_stays('a round that was closed stays as it is')",
    )
    op.execute(
        "CREATE TRIGGER rounds_baseline_once BEFORE UPDATE ON rounds FOR EACH ROW "
        "WHEN (OLD.baseline_at IS NOT NULL AND NEW.baseline_at IS DISTINCT FROM OLD.baseline_at) "
        "EXECUTE FUNCTION kawal_stays('a baseline that was taken stays so')",
    )


def downgrade() -> None:
    raise RuntimeError("What a round began with is not forgotten; restore a backup instead.")
