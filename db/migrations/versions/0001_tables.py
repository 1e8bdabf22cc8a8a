"""The tables of the main job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  written by alembic
    op.execute("SET lock_timeout = '5s'")

    op.create_table(
        "areas",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(collation="C"), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("remoteness", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["parent_code"], ["areas.code"], name=op.f("fk_areas_parent_code_areas")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_areas")),
    )
    op.create_index(op.f("ix_areas_parent_code"), "areas", ["parent_code"], unique=False)
    op.create_table(
        "audit_events",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_area_code", "audit_events", ["area_code"], unique=False)
    op.create_table(
        "audit_streams",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_audit_streams")),
    )
    op.create_table(
        "calendars",
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("area_code", "version", name=op.f("pk_calendars")),
    )
    op.create_table(
        "households",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("member_count", sa.SmallInteger(), nullable=False),
        sa.Column("desil", sa.SmallInteger(), nullable=True),
        sa.Column("last_verified_on", sa.Date(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('active', 'dissolved', 'moved_out')", name=op.f("ck_households_status_known")),
        sa.CheckConstraint("desil BETWEEN 1 AND 10", name=op.f("ck_households_desil_rank")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    op.create_index("ix_households_area_code_id", "households", ["area_code", "id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("response", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("actor_id", "route", "key", name=op.f("uq_idempotency_keys_actor_id_route_key")),
    )
    op.create_table(
        "identity_digests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("purpose IN ('kk', 'nik')", name=op.f("ck_identity_digests_purpose_known")),
        sa.CheckConstraint("(household_id IS NULL) <> (update_id IS NULL)", name=op.f("ck_identity_digests_one_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_digests")),
    )
    op.create_index("ix_identity_digests_digest", "identity_digests", ["digest"], unique=False)
    op.create_index("ix_identity_digests_household_id", "identity_digests", ["household_id"], unique=False)
    op.create_index("ix_identity_digests_update_id", "identity_digests", ["update_id"], unique=False)
    op.create_table(
        "offices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "tier IN ('district', 'nation', 'province', 'regency', 'village')", name=op.f("ck_offices_tier_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offices")),
    )
    op.create_index(op.f("ix_offices_area_code"), "offices", ["area_code"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "topic IN ('signal_deadline_moved', 'signal_ministry_answer', 'start_update')",
            name=op.f("ck_outbox_topic_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_pending", "outbox", ["available_at", "id"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index(op.f("ix_outbox_subject_id"), "outbox", ["subject_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "household_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_household_members_household_id_households")
        ),
        sa.PrimaryKeyConstraint("id", "household_id", name=op.f("pk_household_members")),
    )
    op.create_table(
        "household_versions",
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_household_versions_household_id_households")
        ),
        sa.PrimaryKeyConstraint("household_id", "version", name=op.f("pk_household_versions")),
    )
    op.create_index(op.f("ix_household_versions_update_id"), "household_versions", ["update_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('administrator', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', 'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', 'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', 'subdistrict_head', 'village_council', 'village_head', 'village_operator')",
            name=op.f("ck_memberships_role_known"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_memberships_office_id_offices")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_role_area_code", "memberships", ["role", "area_code"], unique=False)
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["published_by"], ["users.id"], name=op.f("fk_policies_published_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("area_code", "number", name=op.f("uq_policies_area_code_number")),
    )
    op.create_table(
        "updates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tracking_code", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("policy_version_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("settled", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("returned_from", sa.Text(), nullable=True),
        sa.Column("identity_waived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('authority_conflict', 'data_conflict', 'deadline', 'manual', 'no_eligible_decider')",
            name=op.f("ck_updates_cause_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('add_member', 'circumstances', 'death', 'identity_correction', 'move_out', 'new_household', 'split_household')",
            name=op.f("ck_updates_kind_known"),
        ),
        sa.CheckConstraint(
            "stage IN ('approval', 'deliberation', 'delivery', 'endorsement', 'identity_check', 'repair', 'verification')",
            name=op.f("ck_updates_stage_known"),
        ),
        sa.CheckConstraint(
            "status IN ('applied', 'approved_local', 'checking', 'in_approval', 'in_conflict', 'in_deliberation', 'in_delivery', 'in_endorsement', 'in_verification', 'lapsed', 'received', 'rejected', 'returned', 'superseded', 'waiting_document', 'withdrawn')",
            name=op.f("ck_updates_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_version_id"], ["policies.id"], name=op.f("fk_updates_policy_version_id_policies")
        ),
        sa.ForeignKeyConstraint(["submitted_by"], ["users.id"], name=op.f("fk_updates_submitted_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_updates")),
        sa.UniqueConstraint("tracking_code", name=op.f("uq_updates_tracking_code")),
    )
    op.create_index("ix_updates_area_code_id", "updates", ["area_code", "id"], unique=False)
    op.create_index("ix_updates_household_id", "updates", ["household_id"], unique=False)
    op.create_index("ix_updates_status_area_code", "updates", ["status", "area_code"], unique=False)
    op.create_table(
        "ministry_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("receipt_no", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "answer IN ('accepted', 'rejected', 'returned')", name=op.f("ck_ministry_answers_answer_known")
        ),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_ministry_answers_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ministry_answers")),
        sa.UniqueConstraint("webhook_id", name=op.f("uq_ministry_answers_webhook_id")),
    )
    op.create_index(op.f("ix_ministry_answers_update_id"), "ministry_answers", ["update_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_milestone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digests_sent", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("receipt_no", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('authority_conflict', 'data_conflict', 'deadline', 'manual', 'no_eligible_decider')",
            name=op.f("ck_tasks_cause_known"),
        ),
        sa.CheckConstraint("outcome IN ('forward', 'reject', 'return')", name=op.f("ck_tasks_outcome_known")),
        sa.CheckConstraint(
            "reason IN ('after_cutoff', 'already_receiving', 'deceased', 'duplicate', 'excluded_occupation', 'identity_mismatch', 'identity_no_document', 'identity_not_found', 'incomplete_documents', 'moved', 'no_deliberation', 'not_eligible_means', 'not_found_in_field', 'outside_area', 'quota', 'refused_survey', 'source_conflict', 'suspected_false_statement', 'unclear_photo')",
            name=op.f("ck_tasks_reason_known"),
        ),
        sa.CheckConstraint(
            "stage IN ('approval', 'deliberation', 'delivery', 'endorsement', 'identity_check', 'repair', 'verification')",
            name=op.f("ck_tasks_stage_known"),
        ),
        sa.CheckConstraint("status IN ('cancelled', 'decided', 'open')", name=op.f("ck_tasks_status_known")),
        sa.ForeignKeyConstraint(["claimed_by"], ["users.id"], name=op.f("fk_tasks_claimed_by_users")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_tasks_decided_by_users")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_tasks_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(
        "ix_tasks_open_area_code_due_at",
        "tasks",
        ["area_code", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_tasks_open_due_at",
        "tasks",
        ["due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_tasks_open_next_milestone_at",
        "tasks",
        ["next_milestone_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_tasks_undone_opened_at",
        "tasks",
        ["opened_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open' AND receipt_no IS NULL AND stage IN ('identity_check', 'delivery')"),
    )
    op.create_index("ix_tasks_update_id", "tasks", ["update_id"], unique=False)
    op.create_index(
        "uq_tasks_update_id_open", "tasks", ["update_id"], unique=True, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "update_revisions",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("change", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submitted_by"], ["users.id"], name=op.f("fk_update_revisions_submitted_by_users")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_update_revisions_update_id_updates")),
        sa.PrimaryKeyConstraint("update_id", "revision", name=op.f("pk_update_revisions")),
    )
    op.create_table(
        "clock_intervals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('area_suspended', 'civil_registry_unavailable', 'information_requested', 'returned', 'waiting_document')",
            name=op.f("ck_clock_intervals_cause_known"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_clock_intervals_task_id_tasks")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_clock_intervals_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_intervals")),
    )
    op.create_index("ix_clock_intervals_update_id", "clock_intervals", ["update_id"], unique=False)
    op.create_index(
        "uq_clock_intervals_task_id_cause_open",
        "clock_intervals",
        ["task_id", "cause"],
        unique=True,
        postgresql_where=sa.text("to_at IS NULL"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("minutes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decided_by IN ('officer', 'partner', 'system')", name=op.f("ck_decisions_decided_by_known")
        ),
        sa.CheckConstraint("outcome IN ('forward', 'reject', 'return')", name=op.f("ck_decisions_outcome_known")),
        sa.CheckConstraint(
            "reason IN ('after_cutoff', 'already_receiving', 'deceased', 'duplicate', 'excluded_occupation', 'identity_mismatch', 'identity_no_document', 'identity_not_found', 'incomplete_documents', 'moved', 'no_deliberation', 'not_eligible_means', 'not_found_in_field', 'outside_area', 'quota', 'refused_survey', 'source_conflict', 'suspected_false_statement', 'unclear_photo')",
            name=op.f("ck_decisions_reason_known"),
        ),
        sa.CheckConstraint(
            "stage IN ('approval', 'deliberation', 'delivery', 'endorsement', 'identity_check', 'repair', 'verification')",
            name=op.f("ck_decisions_stage_known"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_decisions_actor_id_users")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_decisions_office_id_offices")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_decisions_task_id_tasks")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_decisions_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("task_id", name=op.f("uq_decisions_task_id")),
    )
    op.create_index("ix_decisions_update_id", "decisions", ["update_id"], unique=False)
    op.create_table(
        "escalations",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("to_role", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("action IN ('escalate', 'remind')", name=op.f("ck_escalations_action_known")),
        sa.CheckConstraint(
            "cause IN ('authority_conflict', 'data_conflict', 'deadline', 'manual', 'no_eligible_decider')",
            name=op.f("ck_escalations_cause_known"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_escalations_task_id_tasks")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_escalations_update_id_updates")),
        sa.PrimaryKeyConstraint("task_id", "rung", name=op.f("pk_escalations")),
    )
    op.create_index("ix_escalations_update_id", "escalations", ["update_id"], unique=False)
    op.create_table(
        "identity_results",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "result IN ('deceased', 'matched', 'mismatched', 'not_found', 'unavailable')",
            name=op.f("ck_identity_results_result_known"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_identity_results_task_id_tasks")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_identity_results_update_id_updates")),
        sa.PrimaryKeyConstraint("update_id", "task_id", "person_key", name=op.f("pk_identity_results")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("to_role", sa.Text(), nullable=True),
        sa.Column("to_user_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "to_role IN ('administrator', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', 'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', 'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', 'subdistrict_head', 'village_council', 'village_head', 'village_operator')",
            name=op.f("ck_notifications_to_role_known"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_notifications_task_id_tasks")),
        sa.ForeignKeyConstraint(["to_user_id"], ["users.id"], name=op.f("fk_notifications_to_user_id_users")),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_notifications_update_id_updates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index(
        "ix_notifications_to_role_area_code_id", "notifications", ["to_role", "area_code", "id"], unique=False
    )
    op.create_index("ix_notifications_to_user_id_id", "notifications", ["to_user_id", "id"], unique=False)
    op.create_table(
        "task_grants",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("power", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("power IN ('decide', 'manage')", name=op.f("ck_task_grants_power_known")),
        sa.CheckConstraint(
            "role IN ('administrator', 'district_supervisor', 'evaluator', 'ground_checker', 'inspectorate', 'ministry_officer', 'planner', 'province_observer', 'puskesos_officer', 'regency_assistant', 'regency_head', 'regency_secretary', 'regency_supervisor', 'regency_verifier', 'regent', 'service', 'subdistrict_head', 'village_council', 'village_head', 'village_operator')",
            name=op.f("ck_task_grants_role_known"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_grants_task_id_tasks")),
        sa.PrimaryKeyConstraint("task_id", "role", "power", name=op.f("pk_task_grants")),
    )


def downgrade() -> None:  # noqa: PLR0915  written by alembic
    op.execute("SET lock_timeout = '5s'")

    op.drop_table("task_grants")
    op.drop_index("ix_notifications_to_user_id_id", table_name="notifications")
    op.drop_index("ix_notifications_to_role_area_code_id", table_name="notifications")
    op.drop_table("notifications")
    op.drop_table("identity_results")
    op.drop_index("ix_escalations_update_id", table_name="escalations")
    op.drop_table("escalations")
    op.drop_index("ix_decisions_update_id", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index(
        "uq_clock_intervals_task_id_cause_open", table_name="clock_intervals", postgresql_where=sa.text("to_at IS NULL")
    )
    op.drop_index("ix_clock_intervals_update_id", table_name="clock_intervals")
    op.drop_table("clock_intervals")
    op.drop_table("update_revisions")
    op.drop_index("uq_tasks_update_id_open", table_name="tasks", postgresql_where=sa.text("status = 'open'"))
    op.drop_index("ix_tasks_update_id", table_name="tasks")
    op.drop_index("ix_tasks_undone_opened_at", table_name="tasks")
    op.drop_index("ix_tasks_open_next_milestone_at", table_name="tasks")
    op.drop_index("ix_tasks_open_due_at", table_name="tasks", postgresql_where=sa.text("status = 'open'"))
    op.drop_index("ix_tasks_open_area_code_due_at", table_name="tasks", postgresql_where=sa.text("status = 'open'"))
    op.drop_table("tasks")
    op.drop_index(op.f("ix_ministry_answers_update_id"), table_name="ministry_answers")
    op.drop_table("ministry_answers")
    op.drop_index("ix_updates_status_area_code", table_name="updates")
    op.drop_index("ix_updates_household_id", table_name="updates")
    op.drop_index("ix_updates_area_code_id", table_name="updates")
    op.drop_table("updates")
    op.drop_table("policies")
    op.drop_index(op.f("ix_memberships_user_id"), table_name="memberships")
    op.drop_index("ix_memberships_role_area_code", table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(op.f("ix_household_versions_update_id"), table_name="household_versions")
    op.drop_table("household_versions")
    op.drop_table("household_members")
    op.drop_table("users")
    op.drop_index(op.f("ix_outbox_subject_id"), table_name="outbox")
    op.drop_index("ix_outbox_pending", table_name="outbox", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_table("outbox")
    op.drop_index(op.f("ix_offices_area_code"), table_name="offices")
    op.drop_table("offices")
    op.drop_index("ix_identity_digests_update_id", table_name="identity_digests")
    op.drop_index("ix_identity_digests_household_id", table_name="identity_digests")
    op.drop_index("ix_identity_digests_digest", table_name="identity_digests")
    op.drop_table("identity_digests")
    op.drop_table("idempotency_keys")
    op.drop_index("ix_households_area_code_id", table_name="households")
    op.drop_table("households")
    op.drop_table("calendars")
    op.drop_table("audit_streams")
    op.drop_index("ix_audit_events_area_code", table_name="audit_events")
    op.drop_table("audit_events")
    op.drop_index(op.f("ix_areas_parent_code"), table_name="areas")
    op.drop_table("areas")
