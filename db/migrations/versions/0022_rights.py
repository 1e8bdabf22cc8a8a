"""What persons ask of their data: requests, their blind index, and the exports made for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, close_function, secure

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

# The objections that stand against processing the data of a case or household within view; nothing of who objects.
OBJECTIONS = f"""
    CREATE FUNCTION kawal_objections(of_household uuid, of_update uuid)
    RETURNS TABLE (id uuid, state text, reason text, requested_at timestamptz, due_at timestamptz)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT DISTINCT r.id, r.state, r.reason, r.requested_at, r.due_at
        FROM identity_digests i
        JOIN data_subject_digests d ON d.digest = i.digest
        JOIN data_subject_requests r ON r.id = d.request_id
        WHERE i.purpose = 'nik' AND (i.household_id = of_household OR i.update_id = of_update)
          AND r.kind = 'objection' AND r.state IN ('open', 'granted')
          AND (i.area_code = r.area_code OR starts_with(i.area_code, r.area_code || '.'))
          AND {IN_VIEW.format(column="i.area_code")}
    $$
"""
# What was asked stays; an answer is given once, by who acts, or by the worker that made the export.
ANSWERED_ONCE = """
    CREATE FUNCTION kawal_rights_are_answered_once() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'a request of a person is answered once' USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
ERASE_REQUESTS = f"""
    CREATE FUNCTION kawal_erase_person_requests(at_most int) RETURNS int
    LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        due uuid[] := ARRAY(
            SELECT r.id FROM data_subject_requests r
            WHERE r.erased_at IS NULL
              AND r.answered_at < clock_timestamp() - kawal_period(r.area_code, 'person_requests')
            ORDER BY r.id LIMIT at_most FOR UPDATE SKIP LOCKED);
        erased int;
    BEGIN
        DELETE FROM data_subject_digests WHERE request_id = ANY (due);
        DELETE FROM data_subject_exports WHERE request_id = ANY (due);
        UPDATE data_subject_requests
        SET nik = NULL, explanation = NULL, note = NULL, salt = NULL, erased_at = clock_timestamp()
        WHERE id = ANY (due);
        GET DIAGNOSTICS erased = ROW_COUNT;
        RETURN erased;
    END $$
"""
REQUESTED = (
    "id, area_code, kind, state, asked_by, identified_by, nik, explanation, salt, requested_by, requested_at, due_at"
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _create_requests()
    _create_index_and_exports()
    _protect()
    op.execute("ALTER TABLE read_log DROP CONSTRAINT ck_read_log_subject_known")
    op.create_check_constraint(
        op.f("ck_read_log_subject_known"),
        "read_log",
        "subject IN ('engine', 'evidence', 'household', 'person', 'update')",
    )
    op.execute(OBJECTIONS)
    close_function("kawal_objections(uuid, uuid)", to="kawal_app")
    op.execute(ERASE_REQUESTS)
    close_function("kawal_erase_person_requests(int)", to="kawal_worker")


def _create_requests() -> None:
    op.create_table(
        "data_subject_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("identified_by", sa.Text(), nullable=False),
        sa.Column("nik", sa.LargeBinary(), nullable=True),
        sa.Column("explanation", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=True),
        sa.Column("export_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        _known("kind", "access", "erasure", "objection"),
        _known("state", "granted", "open", "refused", "withdrawn"),
        _known("asked_by", "guardian", "heir", "parent", "representative", "self"),
        _known("identified_by", "civil_registry", "court_order", "family_card", "identity_card", "letter_of_authority"),
        _known(
            "reason",
            *("by_the_person", "erased_with_retention", "export_made", "identity_not_shown", "legal_obligation"),
            *("not_held", "processing_stopped", "public_duty"),
        ),
        _to_users("requested_by"),
        _to_users("answered_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_subject_requests")),
    )
    op.create_index("ix_data_subject_requests_area_code_id", "data_subject_requests", ["area_code", "id"])
    op.create_index(
        "ix_data_subject_requests_open_due_at",
        "data_subject_requests",
        ["due_at"],
        postgresql_where=sa.text("state = 'open'"),
    )


def _known(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_data_subject_requests_{column}_known"))


def _to_users(column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_data_subject_requests_{column}_users"))


def _create_index_and_exports() -> None:
    op.create_table(
        "data_subject_digests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["data_subject_requests.id"],
            name=op.f("fk_data_subject_digests_request_id_data_subject_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_subject_digests")),
    )
    op.create_index("ix_data_subject_digests_digest", "data_subject_digests", ["digest"])
    op.create_index("ix_data_subject_digests_request_id", "data_subject_digests", ["request_id"])
    op.create_table(
        "data_subject_exports",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["data_subject_requests.id"],
            name=op.f("fk_data_subject_exports_request_id_data_subject_requests"),
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_data_subject_exports")),
    )
    op.create_index("ix_data_subject_exports_expires_at", "data_subject_exports", ["expires_at"])


def _protect() -> None:
    in_view = IN_VIEW.format(column="area_code")
    for table in ("data_subject_requests", "data_subject_digests", "data_subject_exports"):
        secure(table)
        allow(table, "kawal_app", "SELECT", in_view)
        allow(table, "kawal_worker", "SELECT", IS_SYSTEM)
    op.execute(f"GRANT INSERT ({REQUESTED}) ON data_subject_requests TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_insert ON data_subject_requests FOR INSERT TO kawal_app "
        f"WITH CHECK ({in_view} AND {IS_SELF.format(column='requested_by')})",
    )
    op.execute("GRANT UPDATE (state, answered_by, answered_at, reason, note) ON data_subject_requests TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON data_subject_requests FOR UPDATE TO kawal_app USING ({in_view}) "
        f"WITH CHECK ({in_view} AND {IS_SELF.format(column='answered_by')})",
    )
    op.execute(
        "GRANT UPDATE (state, leased_until, answered_at, reason, held, export_until) ON data_subject_requests "
        "TO kawal_worker",
    )
    op.execute(
        f"CREATE POLICY kawal_worker_update ON data_subject_requests FOR UPDATE TO kawal_worker "
        f"USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM} AND kind = 'access')",
    )
    allow("data_subject_digests", "kawal_app", "INSERT", in_view)
    allow("data_subject_exports", "kawal_worker", "INSERT", IS_SYSTEM)
    op.execute("GRANT DELETE ON data_subject_exports TO kawal_worker")
    op.execute(
        f"CREATE POLICY kawal_worker_delete ON data_subject_exports FOR DELETE TO kawal_worker "
        f"USING ({IS_SYSTEM} AND expires_at < clock_timestamp())",
    )
    op.execute(ANSWERED_ONCE)
    op.execute(
        "CREATE TRIGGER data_subject_requests_answered_once BEFORE UPDATE ON data_subject_requests FOR EACH ROW "
        "WHEN (OLD.state <> 'open' AND (NEW.state, NEW.answered_by, NEW.answered_at, NEW.reason) IS DISTINCT FROM "
        "(OLD.state, OLD.answered_by, OLD.answered_at, OLD.reason)) "
        "EXECUTE FUNCTION kawal_rights_are_answered_once()",
    )
    op.execute(
        "CREATE TRIGGER data_subject_requests_never_removed BEFORE DELETE OR TRUNCATE ON data_subject_requests "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
    )


def downgrade() -> None:
    raise RuntimeError("What persons asked for is not forgotten; restore a backup instead.")
