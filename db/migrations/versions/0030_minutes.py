"""Minutes of village deliberations as records, and what comes of each case that they list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, secure

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

IN_AREA = IN_VIEW.format(column="area_code")
ROLES = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', 'regency_head', "
    "'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', 'subdistrict_head', "
    "'village_council', 'village_head', 'village_operator'"
)
REASONS = (
    "'after_cutoff', 'already_receiving', 'deceased', 'duplicate', 'excluded_occupation', 'identity_mismatch', "
    "'identity_no_document', 'identity_not_found', 'incomplete_documents', 'moved', 'no_deliberation', "
    "'not_eligible_means', 'not_found_in_field', 'outside_area', 'quota', 'refused_survey', 'source_conflict', "
    "'suspected_false_statement', 'unclear_photo'"
)
RESULTS = "'already_decided', 'case_closed', 'decided', 'not_in_deliberation', 'refused', 'stands'"
TOPICS = "'authority_changed', 'signal_deadline_moved', 'signal_ministry_answer', 'start_minutes', 'start_update'"
PAPER = (
    "id, area_code, type, number, year, held_on, covers, attendance, words, scan_id, supersedes, recorded_by, role, "
    "office_id, on_behalf_of, recorded_at"
)
LISTED = "minutes_id, update_id, area_code, place, outcome, reason, act_id"

# Corrected by another record, once; carried out, once; or sealed anew. Nothing else of a paper ever changes.
STAND = """
    CREATE FUNCTION kawal_minutes_stand() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        later text[] := '{superseded_by,finished_at}';
    BEGIN
        IF kawal_is_resealed(to_jsonb(OLD), to_jsonb(NEW), '{words}') OR (
            to_jsonb(NEW) - later = to_jsonb(OLD) - later
            AND (NEW.superseded_by IS NOT DISTINCT FROM OLD.superseded_by OR OLD.superseded_by IS NULL)
            AND (NEW.finished_at IS NOT DISTINCT FROM OLD.finished_at OR OLD.finished_at IS NULL)
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'minutes are never changed, only superseded' USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
# As for evidence of a case: whoever erases holds the row locked, and a paper is not recorded with an erased scan.
LIVE = """
    CREATE FUNCTION kawal_minutes_have_live_scan() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM 1 FROM evidence WHERE id = NEW.scan_id AND erased_at IS NULL FOR KEY SHARE;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    END $$
"""
HAS_ITS_TIME = """
    CREATE OR REPLACE FUNCTION kawal_evidence_has_its_time() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM update_evidence b
                   WHERE b.evidence_id = NEW.id AND NOT kawal_is_due(b.update_id, 'evidence')) THEN
            RAISE EXCEPTION 'evidence of a case is not erased before its time'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM minutes m WHERE m.scan_id = NEW.id) THEN
            RAISE EXCEPTION 'the scan of minutes is not erased' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _create_minutes()
    _create_cases()
    _protect()
    op.drop_constraint(op.f("ck_outbox_topic_known"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_topic_known"), "outbox", f"topic IN ({TOPICS})")


def _key(table: str, column: str, to: str, *, deferred: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{to}.id"],
        name=op.f(f"fk_{table}_{column}_{to}"),
        deferrable=deferred or None,
        initially="DEFERRED" if deferred else None,
    )


def _known(table: str, column: str, values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"ck_{table}_{column}_known"))


def _create_minutes() -> None:
    op.create_table(
        "minutes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("covers", sa.Text(), nullable=False),
        sa.Column("attendance", postgresql.JSONB(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=True),
        sa.Column("supersedes", sa.Uuid(), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        _known("minutes", "type", "'musdes', 'sptjm'"),
        _known("minutes", "covers", "'listed', 'village'"),
        _known("minutes", "role", ROLES),
        sa.CheckConstraint("year = extract(year from held_on)", name=op.f("ck_minutes_of_its_year")),
        sa.CheckConstraint("supersedes <> id", name=op.f("ck_minutes_supersedes_another")),
        sa.ForeignKeyConstraint(
            ["scan_id", "area_code"],
            ["evidence.id", "evidence.area_code"],
            name=op.f("fk_minutes_scan_id_area_code_evidence"),
        ),
        _key("minutes", "supersedes", "minutes"),
        _key("minutes", "superseded_by", "minutes", deferred=True),
        _key("minutes", "recorded_by", "users"),
        _key("minutes", "office_id", "offices"),
        _key("minutes", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minutes")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_minutes_supersedes")),
    )
    op.create_index(
        "uq_minutes_area_code_year_number",
        "minutes",
        ["area_code", "year", "number"],
        unique=True,
        postgresql_where=sa.text("superseded_by IS NULL"),
    )
    op.create_index("ix_minutes_area_code_id", "minutes", ["area_code", "id"])
    op.create_index("ix_minutes_scan_id", "minutes", ["scan_id"])


def _create_cases() -> None:
    op.create_table(
        "minutes_cases",
        sa.Column("minutes_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        _known("minutes_cases", "outcome", "'forward', 'reject', 'return'"),
        _known("minutes_cases", "reason", REASONS),
        _known("minutes_cases", "result", RESULTS),
        sa.CheckConstraint(
            "(result IS NULL) = (settled_at IS NULL)", name=op.f("ck_minutes_cases_settled_with_a_result")
        ),
        _key("minutes_cases", "minutes_id", "minutes"),
        _key("minutes_cases", "update_id", "updates"),
        _key("minutes_cases", "act_id", "idempotency_keys"),
        _key("minutes_cases", "task_id", "tasks"),
        sa.PrimaryKeyConstraint("minutes_id", "update_id", name=op.f("pk_minutes_cases")),
        sa.UniqueConstraint("minutes_id", "place", name=op.f("uq_minutes_cases_minutes_id_place")),
    )
    op.create_index("ix_minutes_cases_update_id", "minutes_cases", ["update_id"])


def _protect() -> None:
    for table in ("minutes", "minutes_cases"):
        secure(table)
        allow(table, "kawal_app", "SELECT", IN_AREA)
        allow(table, "kawal_worker", "SELECT", IS_SYSTEM)
        op.execute(
            f"CREATE TRIGGER {table}_never_removed BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
        )
    _may("minutes", "kawal_app", f"INSERT ({PAPER})", f"{IN_AREA} AND {IS_SELF.format(column='recorded_by')}")
    _may("minutes", "kawal_app", "UPDATE (superseded_by)", IN_AREA)
    _may("minutes", "kawal_worker", "UPDATE (finished_at)", IS_SYSTEM)
    _may("minutes_cases", "kawal_app", f"INSERT ({LISTED})", IN_AREA)
    _may("minutes_cases", "kawal_worker", "UPDATE (task_id, result, detail, settled_at)", IS_SYSTEM)
    op.execute(STAND)
    op.execute(
        "CREATE TRIGGER minutes_stand BEFORE UPDATE ON minutes FOR EACH ROW EXECUTE FUNCTION kawal_minutes_stand()",
    )
    op.execute(
        "CREATE TRIGGER minutes_cases_settled_once BEFORE UPDATE ON minutes_cases FOR EACH ROW "
        "WHEN (OLD.settled_at IS NOT NULL OR (OLD.minutes_id, OLD.update_id, OLD.area_code, OLD.place, OLD.outcome, "
        "OLD.reason, OLD.act_id) IS DISTINCT FROM (NEW.minutes_id, NEW.update_id, NEW.area_code, NEW.place, "
        "NEW.outcome, NEW.reason, NEW.act_id)) "
        "EXECUTE FUNCTION kawal_stays('what came of a case by minutes stays as it was settled')",
    )
    op.execute(LIVE)
    op.execute("REVOKE ALL ON FUNCTION kawal_minutes_have_live_scan() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER minutes_have_live_scan BEFORE INSERT ON minutes FOR EACH ROW "
        "WHEN (NEW.scan_id IS NOT NULL) EXECUTE FUNCTION kawal_minutes_have_live_scan()",
    )
    op.execute(HAS_ITS_TIME)


def _may(table: str, role: str, what: str, condition: str) -> None:
    """Grant a command on some columns of a table, for the rows for which `condition` holds."""
    command = what.partition(" ")[0]
    clause = {"INSERT": f"WITH CHECK ({condition})", "UPDATE": f"USING ({condition}) WITH CHECK ({condition})"}[command]
    op.execute(f"GRANT {what} ON {table} TO {role}")
    op.execute(f"CREATE POLICY {role}_{command.lower()} ON {table} FOR {command} TO {role} {clause}")


def downgrade() -> None:
    raise RuntimeError("What a village decided is not forgotten; restore a backup instead.")
