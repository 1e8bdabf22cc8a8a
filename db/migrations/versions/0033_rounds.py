"""Update rounds: their calendars, for which round a case counts, and which cases rolled over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import (
    CONCERNS,
    IN_VIEW,
    IS_KNOWN,
    IS_SELF,
    IS_SYSTEM,
    allow,
    close_function,
    forbid_changes,
    secure,
)

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ROLES = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', 'regency_head', "
    "'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', 'subdistrict_head', "
    "'village_council', 'village_head', 'village_operator'"
)
REASONS = (
    "'disaster', 'entered_in_error', 'holiday_decreed', 'local_event', 'ministry_calendar', 'outage', "
    "'villages_not_ready'"
)
IN_AREA = IN_VIEW.format(column="area_code")
# Numbers alone, of the whole regency, whoever asks. What counts for a round is what was approved for it, and what
# waits for its cut-off while none comes before it.
FIGURES = """
    CREATE FUNCTION kawal_round_figures(wanted uuid) RETURNS TABLE (
        submitted bigint, approved bigint, applied bigint, rolled_in bigint, rolled_over bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        WITH this AS (
            SELECT r.id, r.area_code, t.cutoff_at,
                   coalesce((SELECT max(o.cutoff_at) FROM rounds p
                             JOIN round_terms o ON (o.round_id, o.version) = (p.id, p.version)
                             WHERE p.area_code = r.area_code AND o.cutoff_at < t.cutoff_at), '-infinity') AS since
            FROM rounds r JOIN round_terms t ON (t.round_id, t.version) = (r.id, r.version) WHERE r.id = wanted
        )
        SELECT (SELECT count(*) FROM updates u
                WHERE u.area_code >= this.area_code COLLATE "C" AND u.area_code < this.area_code || '/' COLLATE "C"
                  AND u.submitted_at > this.since AND u.submitted_at <= this.cutoff_at),
               (SELECT count(*) FROM updates u WHERE u.round_id = this.id
                AND u.status IN ('in_delivery', 'approved_local', 'applied')),
               (SELECT count(*) FROM updates u WHERE u.round_id = this.id AND u.status = 'applied'),
               (SELECT count(*) FROM round_rolls o WHERE o.to_round = this.id),
               (SELECT count(*) FROM round_rolls o WHERE o.from_round = this.id)
        FROM this
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _rounds()
    _terms()
    _rolls()
    _cases()
    _notifications()
    _protect()


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=False)


def _area() -> sa.Column[object]:
    return sa.Column("area_code", sa.Text(collation="C"), nullable=False)


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _rounds() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", sa.Uuid(), nullable=False),
        _area(),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        _moment("planned_at"),
        _moment("rolled_at", nullable=True),
        _moment("closed_at", nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(r"area_code ~ '^[0-9]{2}\.[0-9]{2}$'", name=op.f("ck_rounds_of_a_regency")),
        sa.CheckConstraint("period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'", name=op.f("ck_rounds_period_well_formed")),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_rounds_closed_by_somebody")),
        _key("rounds", "closed_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("area_code", "period", name=op.f("uq_rounds_area_code_period")),
    )
    op.create_index("ix_rounds_not_rolled", "rounds", ["id"], postgresql_where=sa.text("rolled_at IS NULL"))


def _terms() -> None:
    op.create_table(
        "round_terms",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        _area(),
        _day("opens"),
        _day("input_opens"),
        _day("input_closes"),
        _day("musdes_opens"),
        _day("musdes_closes"),
        _day("cut_off"),
        _day("publishes"),
        _moment("opens_at"),
        _moment("cutoff_at"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        _moment("entered_at"),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_round_terms_reason_known")),
        sa.CheckConstraint(f"entered_role IN ({ROLES})", name=op.f("ck_round_terms_entered_role_known")),
        sa.CheckConstraint("(version = 1) = (reason IS NULL)", name=op.f("ck_round_terms_moved_for_a_reason")),
        sa.CheckConstraint("cutoff_at > opens_at", name=op.f("ck_round_terms_cut_off_after_it_opens")),
        _key("round_terms", "round_id", "rounds"),
        _key("round_terms", "entered_by", "users"),
        _key("round_terms", "office_id", "offices"),
        _key("round_terms", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("round_id", "version", name=op.f("pk_round_terms")),
    )


def _rolls() -> None:
    op.create_table(
        "round_rolls",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("from_round", sa.Uuid(), nullable=False),
        sa.Column("to_round", sa.Uuid(), nullable=True),
        _area(),
        _moment("rolled_at"),
        _key("round_rolls", "update_id", "updates"),
        _key("round_rolls", "from_round", "rounds"),
        _key("round_rolls", "to_round", "rounds"),
        sa.PrimaryKeyConstraint("update_id", "from_round", name=op.f("pk_round_rolls")),
    )
    op.create_index("ix_round_rolls_from_round", "round_rolls", ["from_round"])
    op.create_index(
        "ix_round_rolls_to_round", "round_rolls", ["to_round"], postgresql_where=sa.text("to_round IS NOT NULL")
    )


def _cases() -> None:
    op.add_column("updates", sa.Column("round_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_updates_round_id_rounds"), "updates", "rounds", ["round_id"], ["id"])
    op.create_index("ix_updates_round_id", "updates", ["round_id"], postgresql_where=sa.text("round_id IS NOT NULL"))
    # A summary of a few bytes for each stretch of the table, which grows in this order: submitting pays nothing for it.
    op.create_index("ix_updates_submitted_at", "updates", ["submitted_at"], postgresql_using="brin")
    op.drop_constraint(op.f("ck_clock_jobs_cause_known"), "clock_jobs")
    op.create_check_constraint(
        op.f("ck_clock_jobs_cause_known"), "clock_jobs", "cause IN ('calendar', 'order', 'round')"
    )


def _notifications() -> None:
    op.add_column("notifications", sa.Column("round_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_notifications_round_id_rounds"), "notifications", "rounds", ["round_id"], ["id"])
    op.drop_constraint(op.f("ck_notifications_about_one_thing"), "notifications")
    op.create_check_constraint(
        op.f("ck_notifications_about_one_thing"),
        "notifications",
        "num_nonnulls(update_id, policy_draft_id, clock_order_id, round_id) = 1",
    )
    op.create_index(
        "ix_notifications_round_id", "notifications", ["round_id"], postgresql_where=sa.text("round_id IS NOT NULL")
    )


def _protect() -> None:
    for table in ("rounds", "round_terms", "round_rolls"):
        secure(table)
        allow(table, "kawal_worker", "SELECT", IS_SYSTEM)
    for table in ("rounds", "round_terms"):
        allow(table, "kawal_app", "SELECT", IS_KNOWN)
    allow("rounds", "kawal_app", "INSERT", IN_AREA)
    allow("round_terms", "kawal_app", "INSERT", f"{IS_SELF.format(column='entered_by')} AND {IN_AREA}")
    allow("round_rolls", "kawal_app", "SELECT", IN_AREA)
    allow("round_rolls", "kawal_worker", "INSERT", IS_SYSTEM)
    _may_update("kawal_app", "version, closed_at, closed_by", IN_AREA)
    _may_update("kawal_worker", "rolled_at", IS_SYSTEM)
    forbid_changes("round_terms")
    forbid_changes("round_rolls")
    op.execute(
        "CREATE TRIGGER rounds_never_removed BEFORE DELETE OR TRUNCATE ON rounds "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
    )
    op.execute(
        "CREATE TRIGGER rounds_closed_once BEFORE UPDATE ON rounds FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL) "
        "EXECUTE FUNCTION kawal_stays('a round that was closed stays as it is')",
    )
    op.execute(
        "CREATE TRIGGER rounds_rolled_once BEFORE UPDATE ON rounds FOR EACH ROW "
        "WHEN (OLD.rolled_at IS NOT NULL AND (NEW.rolled_at, NEW.version) IS DISTINCT FROM (OLD.rolled_at, OLD.version)) "
        "EXECUTE FUNCTION kawal_stays('what rolled over stays so')",
    )
    op.execute(FIGURES)
    close_function("kawal_round_figures(uuid)", to="kawal_app")
    about = f"round_id IS NOT NULL AND (({IN_AREA}) OR {CONCERNS.format(column='area_code')})"
    op.execute(f"CREATE POLICY kawal_app_rounds ON notifications FOR SELECT TO kawal_app USING ({about})")
    op.execute(
        "CREATE POLICY kawal_app_announce_rounds ON notifications FOR INSERT TO kawal_app "
        f"WITH CHECK (round_id IS NOT NULL AND ({IN_AREA}))"
    )


def _may_update(role: str, columns: str, condition: str) -> None:
    op.execute(f"GRANT UPDATE ({columns}) ON rounds TO {role}")
    op.execute(
        f"CREATE POLICY {role}_update ON rounds FOR UPDATE TO {role} USING ({condition}) WITH CHECK ({condition})"
    )


def downgrade() -> None:
    raise RuntimeError("What counted for which round is not forgotten; restore a backup instead.")
