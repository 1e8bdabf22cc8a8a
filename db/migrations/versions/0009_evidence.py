"""Evidence as files: what is kept, which case has it, and uploads that are under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, forbid_changes, secure

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TYPES = (
    "'birth_certificate', 'birth_statement', 'correction_letter', 'court_order', 'death_certificate', "
    "'death_statement', 'house_photo', 'kk', 'ktp', 'marriage_certificate', 'musdes_minutes', 'relocation_letter', 'sptjm'"
)
MEDIA_TYPES = "'application/pdf', 'image/jpeg', 'image/png', 'image/webp'"
PURPOSES = (
    "'court_order', 'emergency', 'engine_diagnosis', 'evidence_review', 'field_visit', 'identity_verification', "
    "'inspection', 'persons_request', 'programme_delivery'"
)
FAULTS = (
    "'active_content', 'broken', 'encrypted', 'malware', 'too_demanding', 'too_many_pages', 'too_many_pixels', "
    "'unknown_type'"
)

# Erased once and for good, or sealed anew under another key; nothing else of a row ever changes.
ONLY_ERASED = """
CREATE FUNCTION kawal_evidence_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - '{erased_at,capture}'::text[] = to_jsonb(OLD) - '{erased_at,capture}'::text[] AND (
        (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.capture IS NULL)
        OR (OLD.erased_at IS NULL AND NEW.erased_at IS NULL AND OLD.capture IS NOT NULL AND NEW.capture IS NOT NULL)
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of evidence are never changed, only erased' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# Whoever erases holds the row locked; a file that is erased meanwhile is not bound, and the statement tells.
ONLY_LIVE = """
CREATE FUNCTION kawal_bind_live_evidence() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM 1 FROM evidence WHERE id = NEW.evidence_id AND erased_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _create_evidence()
    _create_bindings()
    _create_uploads()
    _protect()
    _let_readings_be_of_files()


def _create_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("pages", sa.SmallInteger(), nullable=True),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column("thumbnail_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("thumbnail_size", sa.Integer(), nullable=True),
        sa.Column("capture", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"type IN ({TYPES})", name=op.f("ck_evidence_type_known")),
        sa.CheckConstraint(f"media_type IN ({MEDIA_TYPES})", name=op.f("ck_evidence_media_type_known")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["users.id"], name=op.f("fk_evidence_uploaded_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("id", "area_code", name=op.f("uq_evidence_id_area_code")),
    )
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"])
    op.create_index("ix_evidence_thumbnail_sha256", "evidence", ["thumbnail_sha256"])
    op.create_index("ix_evidence_live_kept_at", "evidence", ["kept_at"], postgresql_where=sa.text("erased_at IS NULL"))


def _create_bindings() -> None:
    op.create_table(
        "update_evidence",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("bound_by", sa.Uuid(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id", "area_code"],
            ["evidence.id", "evidence.area_code"],
            name=op.f("fk_update_evidence_evidence_id_area_code_evidence"),
        ),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_update_evidence_update_id_updates")),
        sa.ForeignKeyConstraint(["bound_by"], ["users.id"], name=op.f("fk_update_evidence_bound_by_users")),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_update_evidence")),
    )
    op.create_index("ix_update_evidence_update_id", "update_evidence", ["update_id"])


def _create_uploads() -> None:
    op.create_table(
        "evidence_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checking_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.CheckConstraint(f"type IN ({TYPES})", name=op.f("ck_evidence_uploads_type_known")),
        sa.CheckConstraint(f"fault IN ({FAULTS})", name=op.f("ck_evidence_uploads_fault_known")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["users.id"], name=op.f("fk_evidence_uploads_uploaded_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_uploads")),
    )
    op.create_index("ix_evidence_uploads_uploaded_by_id", "evidence_uploads", ["uploaded_by", "id"])
    op.create_index("ix_evidence_uploads_expires_at", "evidence_uploads", ["expires_at"])


def _protect() -> None:
    in_view = IN_VIEW.format(column="area_code")
    for table in ("evidence", "update_evidence", "evidence_uploads"):
        secure(table)
    allow("evidence", "kawal_app", "SELECT, INSERT", in_view)
    allow("update_evidence", "kawal_app", "SELECT, INSERT", in_view)
    own = f"{IS_SELF.format(column='uploaded_by')} AND {in_view}"
    allow("evidence_uploads", "kawal_app", "SELECT, INSERT, UPDATE, DELETE", own)
    allow("evidence", "kawal_worker", "SELECT", IS_SYSTEM)
    op.execute("GRANT UPDATE (erased_at, capture) ON evidence TO kawal_worker")
    op.execute(
        f"CREATE POLICY kawal_worker_update ON evidence FOR UPDATE TO kawal_worker USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM})"
    )
    allow("update_evidence", "kawal_worker", "SELECT, INSERT", IS_SYSTEM)
    allow("evidence_uploads", "kawal_worker", "SELECT, DELETE", IS_SYSTEM)
    forbid_changes("update_evidence")
    op.execute(ONLY_ERASED)
    op.execute(
        "CREATE TRIGGER evidence_only_erased BEFORE UPDATE ON evidence "
        "FOR EACH ROW EXECUTE FUNCTION kawal_evidence_only_erased()"
    )
    op.execute(
        "CREATE TRIGGER evidence_never_removed BEFORE DELETE OR TRUNCATE ON evidence "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()"
    )
    op.execute(ONLY_LIVE)
    op.execute("REVOKE ALL ON FUNCTION kawal_bind_live_evidence() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER update_evidence_only_live BEFORE INSERT ON update_evidence "
        "FOR EACH ROW EXECUTE FUNCTION kawal_bind_live_evidence()"
    )


def _let_readings_be_of_files() -> None:
    op.add_column("read_log", sa.Column("evidence_id", sa.Uuid(), nullable=True))
    _check("read_log", "subject_known", "subject IN ('engine', 'evidence', 'household', 'update')")
    _check(
        "read_log",
        "of_update",
        "CASE subject WHEN 'update' THEN update_id IS NOT NULL ELSE update_id IS NULL OR subject = 'evidence' END",
    )
    for table in ("read_log", "unmask_requests"):
        _check(table, "purpose_known", f"purpose IN ({PURPOSES})")
    op.create_check_constraint(
        op.f("ck_read_log_of_evidence"), "read_log", "(subject = 'evidence') = (evidence_id IS NOT NULL)"
    )


def _check(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})")


def downgrade() -> None:
    raise RuntimeError("Evidence is not forgotten; restore a backup instead.")
