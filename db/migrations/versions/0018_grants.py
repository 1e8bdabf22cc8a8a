"""Narrower: how an owner seals append-only rows anew, which columns are written, who may ask which function.

Nothing here keeps a process that lies about who acts from what its account is granted; it keeps an account from what
no code of Kawal does.
"""

from __future__ import annotations

from alembic import op

from db.migrations.row_security import IN_VIEW, IS_SELF

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

IN_AREA = IN_VIEW.format(column="area_code")

# What the API writes later of a row that stands, and of a new one where not all of it is its own to say.
UPDATED = {
    "memberships": "office_id, valid_to, version",
    "offices": "name, closed_at, version",
    "users": "display_name, password_hash, disabled, identity, version",
    "sessions": "seen_at, expires_at, ended_at, ended_because",
    "refresh_tokens": "used_at, replaced_by",
    "account_matches": "same, verdict, decided_by, decided_at",
}
INSERTED = {
    "users": "id, username, display_name, password_hash, disabled, created_at, area_code, identity",
    "sessions": "id, user_id, kind, created_at, seen_at, expires_at, ends_at, address, agent, secret_digest",
    "refresh_tokens": "digest, session_id, user_id, issued_at",
    "account_matches": "id, first_id, second_id, same, found_at",
    "unmask_requests": "id, area_code, desil, purpose, explanation, rows, hours, requested_by, requested_at",
}
# Who writes the row is who acts.
SIGNED = {"read_log": "actor_id", "unmask_requests": "requested_by"}

# An owner says in the transaction that keys are rotated. AES-GCM keeps the length of what it seals: an envelope of
# another length is of something else, and one under the same key is not sealed anew.
IS_RESEALED = """
    CREATE FUNCTION kawal_is_resealed(was jsonb, becomes jsonb, sealed text[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        name text;
        old_envelope bytea;
        new_envelope bytea;
    BEGIN
        IF current_user <> 'kawal_owner' OR current_setting('kawal.upkeep', true) IS DISTINCT FROM 'reseal'
           OR was = becomes OR was - sealed <> becomes - sealed THEN
            RETURN false;
        END IF;
        FOREACH name IN ARRAY sealed LOOP
            old_envelope := (was ->> name)::bytea;
            new_envelope := (becomes ->> name)::bytea;
            IF old_envelope IS NOT DISTINCT FROM new_envelope THEN
                CONTINUE;
            END IF;
            IF coalesce(length(new_envelope), 0) < 2 THEN
                RETURN false;
            END IF;
            IF kawal_key_id(old_envelope) IS NOT DISTINCT FROM kawal_key_id(new_envelope)
               OR length(old_envelope) - get_byte(old_envelope, 1)
                  IS DISTINCT FROM length(new_envelope) - get_byte(new_envelope, 1) THEN
                RETURN false;
            END IF;
        END LOOP;
        RETURN true;
    END $$
"""
REFUSE_UPDATE = """
    CREATE OR REPLACE FUNCTION kawal_refuse_update() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF kawal_is_blanked(TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW))
           OR kawal_is_resealed(to_jsonb(OLD), to_jsonb(NEW), string_to_array(TG_ARGV[0], ',')) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
ONLY_ERASED = """
    CREATE OR REPLACE FUNCTION kawal_evidence_only_erased() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF kawal_is_resealed(to_jsonb(OLD), to_jsonb(NEW), '{capture}') OR (
            to_jsonb(NEW) - '{erased_at,capture}'::text[] = to_jsonb(OLD) - '{erased_at,capture}'::text[]
            AND OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.capture IS NULL
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of evidence are never changed, only erased' USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
ONE_PERSON = """
    CREATE FUNCTION kawal_one_person(one uuid, other uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT one = other OR EXISTS (
            SELECT 1 FROM users a JOIN users b ON b.person_id = a.person_id WHERE a.id = one AND b.id = other)
    $$
"""
# What has been said stays said; the trigger's WHEN lets through what it is not about.
STAYS = """
    CREATE FUNCTION kawal_stays() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
# What was given for a spent token may be forgotten, and is never another.
SPENT = "{row}.used_at, coalesce({row}.replaced_by, OLD.replaced_by)"
STAYING = {
    "sessions": ("OLD.ended_at IS NOT NULL AND NEW IS DISTINCT FROM OLD", "a session that was ended stays ended"),
    "refresh_tokens": (
        f"OLD.used_at IS NOT NULL AND ({SPENT.format(row='NEW')}) IS DISTINCT FROM ({SPENT.format(row='OLD')})",
        "a refresh token is good once",
    ),
    "delegations": ("OLD.ended_at IS NOT NULL AND NEW IS DISTINCT FROM OLD", "a leave that was ended stays ended"),
    "api_keys": ("OLD.revoked_at IS NOT NULL AND NEW IS DISTINCT FROM OLD", "a key that was revoked stays revoked"),
    "memberships": (
        "OLD.valid_to <= clock_timestamp() AND NEW.valid_to IS DISTINCT FROM OLD.valid_to",
        "a membership that is over stays over",
    ),
}
ANSWERED_ONCE = """
    CREATE FUNCTION kawal_unmask_request_is_answered_once() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        acting text := current_setting('kawal.actor', true);
        answers text[] := '{verdict,note,decided_by,decided_at,valid_until}';
        was jsonb := to_jsonb(OLD);
        becomes jsonb := to_jsonb(NEW);
        fault text;
    BEGIN
        IF kawal_is_resealed(was, becomes, '{explanation,note}') THEN
            RETURN NEW;
        END IF;
        IF was - answers - 'rows_read'::text <> becomes - answers - 'rows_read'::text THEN
            fault := 'what was asked for stays';
        ELSIF OLD.verdict IS NOT NULL AND was - 'rows_read'::text <> becomes - 'rows_read'::text THEN
            fault := 'there is one verdict';
        ELSIF NEW.verdict IS NULL AND (
            was - 'rows_read'::text <> becomes - 'rows_read'::text OR NEW.rows_read <> OLD.rows_read) THEN
            fault := 'the verdict comes first';
        ELSIF OLD.verdict IS NULL AND NEW.verdict IS NOT NULL AND (
            NEW.decided_by IS NULL OR NEW.decided_by::text IS DISTINCT FROM acting
            OR kawal_one_person(NEW.decided_by, NEW.requested_by)) THEN
            fault := 'who acts decides, and is another person than who asked';
        ELSIF OLD.verdict IS NULL AND NEW.verdict IS NOT NULL AND (
            NEW.decided_at IS NULL OR (NEW.verdict = 'approved') <> (NEW.valid_until IS NOT NULL)
            OR NEW.valid_until > NEW.decided_at + make_interval(hours => NEW.hours)) THEN
            fault := 'an approval is good for the hours that were asked for';
        ELSIF NEW.rows_read < OLD.rows_read THEN
            fault := 'rows that were read stay read';
        ELSIF NEW.rows_read > OLD.rows_read AND (
            OLD.verdict IS DISTINCT FROM 'approved' OR NEW.requested_by::text IS DISTINCT FROM acting) THEN
            fault := 'who asked reads, what was approved';
        END IF;
        IF fault IS NOT NULL THEN
            RAISE EXCEPTION 'a request to see many is answered once: %', fault
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""
JUDGED_BY_A_THIRD = """
    CREATE FUNCTION kawal_match_is_judged_by_a_third() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF (NEW.verdict, NEW.decided_by, NEW.decided_at) IS DISTINCT FROM (OLD.verdict, OLD.decided_by, OLD.decided_at)
           AND current_user <> 'kawal_owner' AND (
            NEW.verdict IS NULL OR NEW.decided_by IS NULL
            OR NEW.decided_by::text IS DISTINCT FROM current_setting('kawal.actor', true)
            OR kawal_one_person(NEW.decided_by, NEW.first_id) OR kawal_one_person(NEW.decided_by, NEW.second_id)
        ) THEN
            RAISE EXCEPTION 'two accounts are judged by who acts, and neither is their own'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""
# As before, for an account that is in use, and nobody else.
COLLEAGUES = """
    CREATE OR REPLACE FUNCTION kawal_colleagues(of_area text, named text, at timestamptz)
    RETURNS TABLE (user_id uuid, display_name text, role text, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT u.id, u.display_name, m.role, m.area_code
        FROM users u JOIN memberships m
          ON m.user_id = u.id AND m.valid_from <= at AND (m.valid_to IS NULL OR m.valid_to > at)
        WHERE NOT u.disabled AND position(lower(named) IN lower(u.display_name)) > 0
          AND (left(m.area_code, 5) = left(of_area, 5) OR m.area_code IN ('*', left(of_area, 2)))
          AND m.role NOT IN ('administrator', 'data_protection_officer', 'evaluator', 'inspectorate', 'ministry_officer', 'planner',
                             'province_observer', 'regency_secretary', 'regent', 'service', 'village_council')
          AND EXISTS (SELECT 1 FROM users me
                      WHERE NOT me.disabled AND me.id::text = current_setting('kawal.actor', true))
        ORDER BY u.display_name, u.id LIMIT 500
    $$
"""
# Who needs a function's answer; whoever is not named is not answered.
ASKED_BY = {
    "kawal_app": (
        "kawal_accounts_like(bytea[], uuid)",
        "kawal_colleagues(text, text, timestamptz)",
        "kawal_credentials(text)",
        "kawal_leaves(uuid[], timestamptz, timestamptz)",
        "kawal_names(uuid[])",
        "kawal_one_person(uuid, uuid)",
        "kawal_posts(text[], text[], timestamptz[])",
        "kawal_reach(uuid, timestamptz)",
        "kawal_regroup(uuid, uuid)",
        "kawal_track(text)",
    ),
    "kawal_worker": ("kawal_candidates(text[], text[], timestamptz)",),
    "kawal_app, kawal_worker": (
        "kawal_identity_known(bytea[], uuid, uuid)",
        "kawal_is_resealed(jsonb, jsonb, text[])",
        "kawal_seats(uuid, timestamptz, uuid)",
    ),
}
# A session of temporary tables would come before `public` for functions that do not name it last.
TEMPORARY_LAST = """
    DO $$
    DECLARE named regprocedure;
    BEGIN
        FOR named IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public, pg_temp', named);
        END LOOP;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _seal_anew_and_nothing_else()
    _narrow_columns()
    _sign_rows()
    _let_what_is_over_be_over()
    _close_functions()


def _seal_anew_and_nothing_else() -> None:
    op.execute(IS_RESEALED)
    op.execute(REFUSE_UPDATE)
    op.execute(ONLY_ERASED)


def _narrow_columns() -> None:
    for table, columns in UPDATED.items():
        op.execute(f"REVOKE UPDATE ON {table} FROM kawal_app")
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO kawal_app")
    for table, columns in INSERTED.items():
        op.execute(f"REVOKE INSERT ON {table} FROM kawal_app")
        op.execute(f"GRANT INSERT ({columns}) ON {table} TO kawal_app")


def _sign_rows() -> None:
    for table, column in SIGNED.items():
        op.execute(f"DROP POLICY kawal_app_insert ON {table}")
        op.execute(
            f"CREATE POLICY kawal_app_insert ON {table} FOR INSERT TO kawal_app "
            f"WITH CHECK ({IN_AREA} AND {IS_SELF.format(column=column)})",
        )


def _let_what_is_over_be_over() -> None:
    op.execute(STAYS)
    for table, (condition, sentence) in STAYING.items():
        op.execute(
            f"CREATE TRIGGER {table}_stay_over BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition}) "
            f"EXECUTE FUNCTION kawal_stays('{sentence}')",
        )
    # One that was carried on beyond its end would never be over; one that was removed could be begun anew.
    op.execute("ALTER TABLE sessions ADD CONSTRAINT ck_sessions_within_its_end CHECK (expires_at <= ends_at)")
    op.execute("DROP POLICY kawal_app_delete ON sessions")
    op.execute(
        f"CREATE POLICY kawal_app_delete ON sessions FOR DELETE TO kawal_app "
        f"USING ({IS_SELF.format(column='user_id')} AND ends_at < clock_timestamp())",
    )
    op.execute(ONE_PERSON)
    for table, name, function in (
        ("unmask_requests", "kawal_unmask_request_is_answered_once", ANSWERED_ONCE),
        ("account_matches", "kawal_match_is_judged_by_a_third", JUDGED_BY_A_THIRD),
    ):
        op.execute(function)
        op.execute(f"CREATE TRIGGER {table}_answered BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _close_functions() -> None:
    op.execute(COLLEAGUES)
    op.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    for roles, signatures in ASKED_BY.items():
        for signature in signatures:
            op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM kawal_app, kawal_worker")
            op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {roles}")
    op.execute(TEMPORARY_LAST)


def downgrade() -> None:
    raise RuntimeError("Authority is not given back; restore a backup instead.")
