"""Ground checks: who is sent to the field, what is reported from there, and where villages are known to be."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, close_function, forbid_changes, secure

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

IN_AREA = IN_VIEW.format(column="area_code")
_STAGES = (
    "'appeal', 'approval', 'conflict', 'deliberation', 'delivery', 'endorsement', 'ground_check', 'identity_check', "
    "'opinion', 'repair', 'verification'"
)
ROLES = (
    "'administrator', 'data_protection_officer', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', "
    "'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', 'regency_head', "
    "'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', 'subdistrict_head', "
    "'village_council', 'village_head', 'village_operator'"
)
_WIDER: Final = (("updates", "stage"), ("updates", "contested"), ("tasks", "stage"), ("decisions", "stage"))
_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
# A place and what was seen go with the photos of the case, or with what it proposed: whichever period ends first.
IS_DUE = f"""
    CREATE FUNCTION kawal_report_is_due(of_update uuid) RETURNS boolean
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT kawal_is_due(of_update, 'evidence') OR kawal_is_due(of_update, 'contents')
    $$
"""
# Sealed anew, or blanked when its time has come. Nothing else of what was asked or reported ever changes.
REFUSE = """
    CREATE FUNCTION kawal_refuse_ground_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        sealed text := TG_ARGV[0];
        was jsonb := to_jsonb(OLD);
        becomes jsonb := to_jsonb(NEW);
    BEGIN
        IF kawal_is_resealed(was, becomes, ARRAY[sealed]) THEN
            RETURN NEW;
        END IF;
        IF current_user = 'kawal_owner' AND becomes - 'erased_at' = (was - 'erased_at') || jsonb_build_object(sealed, null)
           AND kawal_report_is_due(OLD.update_id) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
ERASE = f"""
    CREATE FUNCTION kawal_erase_reports(at_most int) RETURNS TABLE (id uuid, area_code text, items int)
    LANGUAGE plpgsql {_DEFINER} AS $$
    #variable_conflict use_column
    DECLARE
        one record;
        erased int;
        total int;
    BEGIN
        FOR one IN
            SELECT u.id, u.area_code FROM updates u
            WHERE u.closed_at IS NOT NULL AND u.id IN (
                SELECT r.update_id FROM ground_reports r WHERE r.content IS NOT NULL
                UNION SELECT c.update_id FROM ground_checks c WHERE c.note IS NOT NULL)
              AND kawal_report_is_due(u.id)
            ORDER BY u.closed_at LIMIT at_most FOR UPDATE SKIP LOCKED
        LOOP
            -- Whoever places a hold takes the lock of the case first: after it is had here, none can come.
            CONTINUE WHEN NOT kawal_report_is_due(one.id);
            UPDATE ground_reports SET content = NULL, erased_at = clock_timestamp()
            WHERE update_id = one.id AND content IS NOT NULL;
            GET DIAGNOSTICS total = ROW_COUNT;
            UPDATE ground_checks SET note = NULL WHERE update_id = one.id AND note IS NOT NULL;
            GET DIAGNOSTICS erased = ROW_COUNT;
            RETURN QUERY SELECT one.id, one.area_code, total + erased;
        END LOOP;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table, column in _WIDER:
        op.drop_constraint(op.f(f"ck_{table}_{column}_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{column}_known"), table, f"{column} IN ({_STAGES})")
    _create_checks()
    _create_reports()
    _create_points()
    _protect()


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _known(table: str, column: str, values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"ck_{table}_{column}_known"))


def _create_checks() -> None:
    op.create_table(
        "ground_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("gates", sa.Text(), nullable=False),
        sa.Column("triggers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("touched_by", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        _known("ground_checks", "gates", _STAGES),
        _known("ground_checks", "reason", "'address_doubted', 'complaint', 'facts_doubted', 'photo_doubted'"),
        sa.CheckConstraint(
            "(requested_by IS NULL) = (reason IS NULL)", name=op.f("ck_ground_checks_asked_with_a_reason")
        ),
        _key("ground_checks", "task_id", "tasks"),
        _key("ground_checks", "update_id", "updates"),
        _key("ground_checks", "requested_by", "users"),
        _key("ground_checks", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ground_checks")),
        sa.UniqueConstraint("task_id", name=op.f("uq_ground_checks_task_id")),
    )
    op.create_index("ix_ground_checks_update_id", "ground_checks", ["update_id"])


def _create_reports() -> None:
    op.create_table(
        "ground_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("supersedes", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("differs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("photos", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("far", sa.Boolean(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        _known("ground_reports", "outcome", "'differs', 'found_as_reported', 'not_found', 'refused'"),
        _known("ground_reports", "role", ROLES),
        sa.CheckConstraint("supersedes <> id", name=op.f("ck_ground_reports_supersedes_another")),
        _key("ground_reports", "check_id", "ground_checks"),
        _key("ground_reports", "update_id", "updates"),
        _key("ground_reports", "supersedes", "ground_reports"),
        _key("ground_reports", "filed_by", "users"),
        _key("ground_reports", "office_id", "offices"),
        _key("ground_reports", "on_behalf_of", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ground_reports")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_ground_reports_supersedes")),
    )
    op.create_index(
        "uq_ground_reports_check_id_first",
        "ground_reports",
        ["check_id"],
        unique=True,
        postgresql_where=sa.text("supersedes IS NULL"),
    )
    op.create_index("ix_ground_reports_update_id", "ground_reports", ["update_id"])


def _create_points() -> None:
    op.create_table(
        "area_points",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("latitude", sa.Float(53), nullable=False),
        sa.Column("longitude", sa.Float(53), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            r"area_code ~ '^(\*|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?)$'",
            name=op.f("ck_area_points_area_code_well_formed"),
        ),
        _known("area_points", "role", ROLES),
        sa.CheckConstraint(
            "latitude BETWEEN -11.1 AND 6.2 AND longitude BETWEEN 94.9 AND 141.1",
            name=op.f("ck_area_points_in_indonesia"),
        ),
        sa.ForeignKeyConstraint(["area_code"], ["areas.code"], name=op.f("fk_area_points_area_code_areas")),
        _key("area_points", "recorded_by", "users"),
        _key("area_points", "office_id", "offices"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_points")),
    )
    op.create_index("ix_area_points_area_code_id", "area_points", ["area_code", "id"])


def _protect() -> None:
    for function in (IS_DUE, REFUSE, ERASE):
        op.execute(function)
    close_function("kawal_report_is_due(uuid)", to="kawal_worker")
    close_function("kawal_erase_reports(int)", to="kawal_worker")
    for table, sealed in (("ground_checks", "note"), ("ground_reports", "content")):
        secure(table)
        allow(table, "kawal_app", "SELECT", IN_AREA)
        allow(table, "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
        )
        op.execute(
            f"CREATE TRIGGER {table}_upkeep_only BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION kawal_refuse_ground_change('{sealed}')",
        )
    # The API corrects what was reported, and never reports first: that is the engine's.
    own = IS_SELF.format(column="filed_by")
    allow("ground_reports", "kawal_app", "INSERT", f"{IN_AREA} AND {own} AND supersedes IS NOT NULL")
    secure("area_points")
    allow("area_points", "kawal_app", "SELECT", "true")
    allow("area_points", "kawal_app", "INSERT", f"{IN_AREA} AND {IS_SELF.format(column='recorded_by')}")
    allow("area_points", "kawal_worker", "SELECT", "true")
    forbid_changes("area_points")


def downgrade() -> None:
    raise RuntimeError("What was seen in the field is not forgotten; restore a backup instead.")
