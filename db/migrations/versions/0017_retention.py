"""What has had its time goes: periods of retention, legal holds, and the one way in which append-only rows are blanked.

The worker names a subject and a number; what is due is decided here, out of the policy in force, the end of the case
and its holds. No account can blank a row that is not due, the owner of the tables neither.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SELF, IS_SYSTEM, allow, close_function, secure

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

# How long something is kept in an area: by the policy in force there, else by the proposal.
PERIOD = f"""
    CREATE FUNCTION kawal_period(of_area text, wanted text) RETURNS interval
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT coalesce(
            (SELECT (rule ->> 'period')::interval
             FROM (SELECT document FROM policies
                   WHERE area_code = ANY (ARRAY['*', left(of_area, 2), left(of_area, 5), left(of_area, 8), of_area])
                     AND effective_at <= clock_timestamp()
                   ORDER BY area_code DESC, number DESC LIMIT 1) AS in_force,
                  jsonb_array_elements(in_force.document -> 'retention') AS rule
             WHERE rule ->> 'subject' = wanted LIMIT 1),
            CASE wanted
                WHEN 'evidence' THEN interval '730 days'
                WHEN 'contents' THEN interval '365 days'
                WHEN 'sealed_requests' THEN interval '90 days'
                WHEN 'tracking' THEN interval '365 days'
                WHEN 'read_log' THEN interval '1825 days'
                WHEN 'notifications' THEN interval '365 days'
                WHEN 'sessions' THEN interval '180 days'
                WHEN 'person_requests' THEN interval '1825 days'
                WHEN 'person_exports' THEN interval '7 days'
            END)
    $$
"""
IS_HELD = f"""
    CREATE FUNCTION kawal_is_held(of_update uuid) RETURNS boolean
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT EXISTS (SELECT 1 FROM legal_holds WHERE update_id = of_update AND lifted_at IS NULL)
    $$
"""
IS_DUE = f"""
    CREATE FUNCTION kawal_is_due(of_update uuid, wanted text) RETURNS boolean
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT EXISTS (
            SELECT 1 FROM updates u
            WHERE u.id = of_update AND u.closed_at < clock_timestamp() - kawal_period(u.area_code, wanted)
              AND (wanted <> 'contents' OR u.status IN ('rejected', 'withdrawn', 'lapsed', 'superseded'))
              AND NOT kawal_is_held(u.id))
    $$
"""
# Everything whose period has passed, held or not; `id` is of the case, or of the row where it is of none.
DUE = f"""
    CREATE FUNCTION kawal_due(wanted text) RETURNS TABLE (id uuid, area_code text, held boolean)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT u.id, u.area_code, kawal_is_held(u.id) FROM updates u
        WHERE wanted = 'contents' AND u.erased_at IS NULL AND u.closed_at IS NOT NULL
          AND u.status IN ('rejected', 'withdrawn', 'lapsed', 'superseded')
          AND u.closed_at < clock_timestamp() - kawal_period(u.area_code, wanted)
        UNION ALL
        SELECT e.id, e.area_code, kawal_is_held(u.id)
        FROM evidence e JOIN update_evidence b ON b.evidence_id = e.id JOIN updates u ON u.id = b.update_id
        WHERE wanted = 'evidence' AND e.erased_at IS NULL
          AND u.closed_at < clock_timestamp() - kawal_period(u.area_code, wanted)
        UNION ALL
        SELECT k.id, coalesce(u.area_code, '*'), kawal_is_held(k.update_id)
        FROM idempotency_keys k LEFT JOIN updates u ON u.id = k.update_id
        WHERE wanted = 'sealed_requests' AND k.request IS NOT NULL
          AND k.completed_at < clock_timestamp() - kawal_period(coalesce(u.area_code, '*'), wanted)
        UNION ALL
        SELECT r.id, r.area_code, kawal_is_held(r.update_id) FROM read_log r
        WHERE wanted = 'read_log' AND r.explanation IS NOT NULL
          AND r.at < clock_timestamp() - kawal_period(r.area_code, wanted)
        UNION ALL
        SELECT n.id, n.area_code, kawal_is_held(n.update_id) FROM notifications n JOIN updates u ON u.id = n.update_id
        WHERE wanted = 'notifications' AND u.closed_at < clock_timestamp() - kawal_period(n.area_code, wanted)
        UNION ALL
        SELECT s.id, '*', false FROM sessions s
        WHERE wanted = 'sessions'
          AND least(s.ended_at, s.expires_at, s.ends_at) < clock_timestamp() - kawal_period('*', wanted)
    $$
"""
# Whether an append-only row becomes what erasing leaves of it, and is due for that.
IS_BLANKED = """
    CREATE FUNCTION kawal_is_blanked(of_table text, was jsonb, becomes jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        blank jsonb := CASE of_table
            WHEN 'update_revisions' THEN '{"change": null, "evidence": []}'
            WHEN 'decisions' THEN '{"note": null, "minutes": null}'
            WHEN 'ministry_answers' THEN '{"note": null}'
            WHEN 'comments' THEN '{"text": null}'
            WHEN 'read_log' THEN '{"explanation": null}'
        END::jsonb;
    BEGIN
        IF current_user <> 'kawal_owner' OR blank IS NULL OR becomes - 'erased_at' <> (was - 'erased_at') || blank THEN
            RETURN false;
        END IF;
        IF of_table = 'read_log' THEN
            RETURN (was ->> 'at')::timestamptz < clock_timestamp() - kawal_period(was ->> 'area_code', 'read_log')
                AND NOT kawal_is_held((was ->> 'update_id')::uuid);
        END IF;
        RETURN kawal_is_due((was ->> 'update_id')::uuid, 'contents');
    END $$
"""
ERASE_CONTENTS = f"""
    CREATE FUNCTION kawal_erase_contents(at_most int) RETURNS TABLE (id uuid, area_code text, items int)
    LANGUAGE plpgsql {_DEFINER} AS $$
    #variable_conflict use_column
    DECLARE
        one record;
        erased int;
        total int;
    BEGIN
        FOR one IN
            SELECT u.id, u.area_code FROM updates u
            WHERE u.erased_at IS NULL AND u.closed_at IS NOT NULL
              AND u.status IN ('rejected', 'withdrawn', 'lapsed', 'superseded') AND kawal_is_due(u.id, 'contents')
            ORDER BY u.closed_at LIMIT at_most FOR UPDATE SKIP LOCKED
        LOOP
            -- Whoever places a hold takes the lock of the case first: after it is had here, none can come.
            CONTINUE WHEN NOT kawal_is_due(one.id, 'contents');
            UPDATE update_revisions SET change = NULL, evidence = '[]', erased_at = clock_timestamp()
            WHERE update_id = one.id AND change IS NOT NULL;
            GET DIAGNOSTICS total = ROW_COUNT;
            UPDATE decisions SET note = NULL, minutes = NULL
            WHERE update_id = one.id AND (note IS NOT NULL OR minutes IS NOT NULL);
            GET DIAGNOSTICS erased = ROW_COUNT;
            total := total + erased;
            UPDATE ministry_answers SET note = NULL WHERE update_id = one.id AND note IS NOT NULL;
            GET DIAGNOSTICS erased = ROW_COUNT;
            total := total + erased;
            UPDATE comments SET text = NULL WHERE update_id = one.id AND text IS NOT NULL;
            GET DIAGNOSTICS erased = ROW_COUNT;
            total := total + erased;
            UPDATE idempotency_keys SET request = NULL
            WHERE update_id = one.id AND request IS NOT NULL AND completed_at IS NOT NULL;
            GET DIAGNOSTICS erased = ROW_COUNT;
            total := total + erased;
            DELETE FROM identity_digests WHERE update_id = one.id;
            UPDATE updates SET erased_at = clock_timestamp() WHERE id = one.id;
            RETURN QUERY SELECT one.id, one.area_code, total;
        END LOOP;
    END $$
"""
ERASE_ROWS = f"""
    CREATE FUNCTION kawal_erase_rows(wanted text, at_most int) RETURNS int
    LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        due uuid[] := ARRAY(SELECT d.id FROM kawal_due(wanted) d WHERE NOT d.held LIMIT at_most);
        erased int;
    BEGIN
        CASE wanted
            WHEN 'sealed_requests' THEN UPDATE idempotency_keys SET request = NULL WHERE id = ANY (due);
            WHEN 'read_log' THEN UPDATE read_log SET explanation = NULL WHERE id = ANY (due);
            WHEN 'notifications' THEN DELETE FROM notifications WHERE id = ANY (due);
            WHEN 'sessions' THEN DELETE FROM sessions WHERE id = ANY (due);
        END CASE;
        GET DIAGNOSTICS erased = ROW_COUNT;
        RETURN erased;
    END $$
"""
# The worker says that a file is erased; one that stands behind a case is not before its time.
EVIDENCE_STAYS = f"""
    CREATE FUNCTION kawal_evidence_has_its_time() RETURNS trigger LANGUAGE plpgsql {_DEFINER} AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM update_evidence b
                   WHERE b.evidence_id = NEW.id AND NOT kawal_is_due(b.update_id, 'evidence')) THEN
            RAISE EXCEPTION 'evidence of a case is not erased before its time'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""
REFUSE_UPDATE = """
    CREATE OR REPLACE FUNCTION kawal_refuse_update() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        sealed text[] := string_to_array(TG_ARGV[0], ',');
        was jsonb := to_jsonb(OLD);
        becomes jsonb := to_jsonb(NEW);
        name text;
        old_envelope bytea;
        new_envelope bytea;
    BEGIN
        IF kawal_is_blanked(TG_TABLE_NAME, was, becomes) THEN
            RETURN NEW;
        END IF;
        IF coalesce(current_setting('kawal.upkeep', true), '') = 'reseal' AND was - sealed = becomes - sealed THEN
            FOREACH name IN ARRAY sealed LOOP
                old_envelope := (was ->> name)::bytea;
                new_envelope := (becomes ->> name)::bytea;
                -- AES-GCM keeps the length of what it seals: an envelope of another length is of something else.
                IF old_envelope IS DISTINCT FROM new_envelope AND (
                    kawal_key_id(old_envelope) IS NOT DISTINCT FROM kawal_key_id(new_envelope)
                    OR length(old_envelope) - get_byte(old_envelope, 1)
                       IS DISTINCT FROM length(new_envelope) - get_byte(new_envelope, 1)
                ) THEN
                    RAISE EXCEPTION 'rows of % are never changed or removed: % is no envelope of the same content',
                        TG_TABLE_NAME, name USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            END LOOP;
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
LIFTED_ONCE = """
    CREATE FUNCTION kawal_hold_is_lifted_once() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'a legal hold is lifted once' USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
# A number is known elsewhere where it is in use now; where it was is for the person's own request.
IDENTITY_KNOWN = f"""
    CREATE OR REPLACE FUNCTION kawal_identity_known(wanted bytea[], of_household uuid, of_update uuid)
    RETURNS TABLE (digest bytea, purpose text, owner text, area_code text)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT DISTINCT d.digest, d.purpose,
               CASE WHEN d.household_id IS NULL THEN 'update' ELSE 'household' END, d.area_code
        FROM identity_digests d
        WHERE d.digest = ANY (wanted) AND d.ended_at IS NULL
          AND (of_household IS NULL OR d.household_id IS DISTINCT FROM of_household)
          AND (of_update IS NULL OR d.update_id IS DISTINCT FROM of_update)
    $$
"""
TRACK = f"""
    CREATE OR REPLACE FUNCTION kawal_track(code text)
    RETURNS TABLE (kind text, status text, stage text, area_code text, policy_version_id uuid, reason text,
                   submitted_at timestamptz, closed_at timestamptz, due_at timestamptz, level smallint)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT u.kind, u.status, u.stage, u.area_code, u.policy_version_id, u.reason,
               u.submitted_at, u.closed_at, t.due_at, u.level
        FROM updates u LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open'
        WHERE u.tracking_code = code
          AND (u.closed_at IS NULL OR u.closed_at >= clock_timestamp() - kawal_period(u.area_code, 'tracking'))
    $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _make_room()
    _create_holds()
    for function in (PERIOD, IS_HELD, IS_DUE, DUE, IS_BLANKED, ERASE_CONTENTS, ERASE_ROWS, REFUSE_UPDATE):
        op.execute(function)
    for signature in (
        "kawal_period(text, text)",
        "kawal_is_held(uuid)",
        "kawal_is_due(uuid, text)",
        "kawal_due(text)",
        "kawal_erase_contents(int)",
        "kawal_erase_rows(text, int)",
    ):
        close_function(signature, to="kawal_worker")
    op.execute(EVIDENCE_STAYS)
    op.execute("REVOKE ALL ON FUNCTION kawal_evidence_has_its_time() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER evidence_has_its_time BEFORE UPDATE ON evidence FOR EACH ROW "
        "WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION kawal_evidence_has_its_time()",
    )
    op.execute(IDENTITY_KNOWN)
    op.execute(TRACK)


def _make_room() -> None:
    op.alter_column("update_revisions", "change", nullable=True)
    op.alter_column("read_log", "explanation", nullable=True)
    op.alter_column("comments", "text", nullable=True)
    op.alter_column("idempotency_keys", "request", nullable=True)
    op.add_column("updates", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_updates_closed_at_kept",
        "updates",
        ["closed_at"],
        postgresql_where=sa.text("closed_at IS NOT NULL AND erased_at IS NULL"),
    )
    # A number that is no longer in use stays findable for the person whose it was.
    op.add_column("identity_digests", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("GRANT UPDATE (ended_at) ON identity_digests TO kawal_worker")
    op.execute(
        f"CREATE POLICY kawal_worker_update ON identity_digests FOR UPDATE TO kawal_worker "
        f"USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM})",
    )


def _create_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("explanation", sa.LargeBinary(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_because", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "ground IN ('audit', 'court', 'dispute', 'investigation')", name=op.f("ck_legal_holds_ground_known")
        ),
        sa.CheckConstraint("lifted_by IS DISTINCT FROM placed_by", name=op.f("ck_legal_holds_four_eyes")),
        sa.CheckConstraint(
            "num_nonnulls(lifted_by, lifted_at, lifted_because) IN (0, 3)", name=op.f("ck_legal_holds_lifted_whole")
        ),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name=op.f("fk_legal_holds_update_id_updates")),
        sa.ForeignKeyConstraint(["placed_by"], ["users.id"], name=op.f("fk_legal_holds_placed_by_users")),
        sa.ForeignKeyConstraint(["lifted_by"], ["users.id"], name=op.f("fk_legal_holds_lifted_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(
        "uq_legal_holds_update_id_standing",
        "legal_holds",
        ["update_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    in_view = IN_VIEW.format(column="area_code")
    secure("legal_holds")
    allow("legal_holds", "kawal_app", "SELECT", in_view)
    allow("legal_holds", "kawal_worker", "SELECT", IS_SYSTEM)
    placed = "id, update_id, area_code, ground, explanation, placed_by, placed_at"
    op.execute(f"GRANT INSERT ({placed}) ON legal_holds TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_insert ON legal_holds FOR INSERT TO kawal_app "
        f"WITH CHECK ({in_view} AND {IS_SELF.format(column='placed_by')})",
    )
    op.execute("GRANT UPDATE (lifted_by, lifted_at, lifted_because) ON legal_holds TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON legal_holds FOR UPDATE TO kawal_app USING ({in_view}) "
        f"WITH CHECK ({in_view} AND {IS_SELF.format(column='lifted_by')})",
    )
    op.execute(LIFTED_ONCE)
    op.execute(
        "CREATE TRIGGER legal_holds_lifted_once BEFORE UPDATE ON legal_holds FOR EACH ROW "
        "WHEN (OLD.lifted_at IS NOT NULL AND (NEW.lifted_by, NEW.lifted_at) IS DISTINCT FROM "
        "(OLD.lifted_by, OLD.lifted_at)) EXECUTE FUNCTION kawal_hold_is_lifted_once()",
    )
    op.execute(
        "CREATE TRIGGER legal_holds_never_removed BEFORE DELETE OR TRUNCATE ON legal_holds "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
    )


def downgrade() -> None:
    raise RuntimeError("What was erased does not come back; restore a backup instead.")
