"""Evaluations: what is measured, what each number is made of, and the numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import CONCERNS, IN_VIEW, IS_SELF, IS_SYSTEM, allow, forbid_changes, secure

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ROLES = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'peer_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', "
    "'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', "
    "'subdistrict_head', 'village_council', 'village_head', 'village_operator'"
)
INDICATORS = (
    "'appeals_overturned', 'attended', 'by_minutes', 'case_age', 'completeness', 'custody', 'cutoff_kept', "
    "'data_age', 'data_over_24_months', 'data_over_90_days', 'deemed', 'duplicates', 'escalated', "
    "'escalation_resolved', 'first_pass', 'graduated', 'matched', 'musdes_held', 'open_age', "
    "'overridden_above', 'overridden_for_applicant', 'reentered', 'returns', 'within_deadline'"
)
TOPICS = (
    "'authority_changed', 'signal_deadline_moved', 'signal_ministry_answer', 'signal_round_moved', 'start_evaluation', "
    "'start_minutes', 'start_round', 'start_update'"
)
IN_AREA = IN_VIEW.format(column="area_code")
# What is measured of a regency is told to all who work in it, in the same moment.
TOLD = f"({IN_AREA}) OR {CONCERNS.format(column='area_code')}"


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_outbox_topic_known"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_topic_known"), "outbox", f"topic IN ({TOPICS})")
    _evaluations()
    _observations()
    _measures()
    _protect()


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _area() -> sa.Column[object]:
    return sa.Column("area_code", sa.Text(collation="C"), nullable=False)


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("round_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        *(_moment(name) for name in ("begins_at", "ends_at", "known_until")),
        sa.Column("method", sa.SmallInteger(), nullable=False),
        sa.Column("policy_version_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_role", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        _moment("requested_at"),
        _moment("measured_at", nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("cause IN ('requested', 'round_closed')", name=op.f("ck_evaluations_cause_known")),
        sa.CheckConstraint(f"requested_role IN ({ROLES})", name=op.f("ck_evaluations_requested_role_known")),
        sa.CheckConstraint(
            "begins_at < ends_at AND ends_at <= known_until", name=op.f("ck_evaluations_of_a_time_that_is_over")
        ),
        sa.CheckConstraint(
            "(cause = 'requested') = (requested_by IS NOT NULL)", name=op.f("ck_evaluations_requested_by_somebody")
        ),
        sa.CheckConstraint(
            "(measured_at IS NULL) = (digest IS NULL)", name=op.f("ck_evaluations_measured_with_a_digest")
        ),
        _key("evaluations", "round_id", "rounds"),
        _key("evaluations", "policy_version_id", "policies"),
        _key("evaluations", "requested_by", "users"),
        _key("evaluations", "office_id", "offices"),
        _key("evaluations", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index("ix_evaluations_area_code_id", "evaluations", ["area_code", "id"])
    op.create_index(
        "uq_evaluations_round_closed",
        "evaluations",
        ["round_id"],
        unique=True,
        postgresql_where=sa.text("cause = 'round_closed'"),
    )


def _observations() -> None:
    op.create_table(
        "evaluation_observations",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        _area(),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("hit", sa.Boolean(), nullable=True),
        sa.Column("value", sa.Double[float](), nullable=True),
        sa.Column("paused", sa.Double[float](), nullable=True),
        sa.Column("groups", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint(f"indicator IN ({INDICATORS})", name=op.f("ck_evaluation_observations_indicator_known")),
        _key("evaluation_observations", "evaluation_id", "evaluations"),
        sa.PrimaryKeyConstraint(
            "evaluation_id",
            "indicator",
            "part",
            "area_code",
            "subject_id",
            name=op.f("pk_evaluation_observations"),
        ),
    )


def _measures() -> None:
    op.create_table(
        "evaluation_measures",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        _area(),
        sa.Column("n", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Double[float](), nullable=True)
            for name in (
                *("numerator", "denominator", "value", "low", "high"),
                *("p90", "p90_low", "p90_high", "paused"),
            )
        ),
        sa.CheckConstraint(f"indicator IN ({INDICATORS})", name=op.f("ck_evaluation_measures_indicator_known")),
        _key("evaluation_measures", "evaluation_id", "evaluations"),
        sa.PrimaryKeyConstraint("evaluation_id", "indicator", "part", "area_code", name=op.f("pk_evaluation_measures")),
    )


def _protect() -> None:
    # Whose a task was is asked of every task that is measured.
    op.execute("GRANT EXECUTE ON FUNCTION kawal_posts(text[], text[], timestamptz[]) TO kawal_worker")
    secure("evaluations")
    allow("evaluations", "kawal_app", "SELECT", TOLD)
    allow("evaluations", "kawal_app", "INSERT", f"{IS_SELF.format(column='requested_by')} AND ({IN_AREA})")
    allow("evaluations", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    op.execute("GRANT UPDATE (measured_at, digest) ON evaluations TO kawal_worker")
    op.execute(
        "CREATE POLICY kawal_worker_update ON evaluations FOR UPDATE TO kawal_worker "
        f"USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM})"
    )
    op.execute(
        "CREATE TRIGGER evaluations_never_removed BEFORE DELETE OR TRUNCATE ON evaluations "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
    )
    op.execute(
        "CREATE TRIGGER evaluations_measured_once BEFORE UPDATE ON evaluations FOR EACH ROW "
        "WHEN (OLD.measured_at IS NOT NULL) EXECUTE FUNCTION kawal_stays('what was measured stays as it is')",
    )
    for table, seen in (
        ("evaluation_observations", IN_AREA),
        ("evaluation_measures", "EXISTS (SELECT 1 FROM evaluations e WHERE e.id = evaluation_id)"),
    ):
        secure(table)
        allow(table, "kawal_app", "SELECT", seen)
        allow(table, "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
        forbid_changes(table)


def downgrade() -> None:
    raise RuntimeError("What was measured and published is not forgotten; restore a backup instead.")
