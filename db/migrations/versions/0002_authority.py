"""Authority in the database: grants, forced row security by area, append-only tables, questions across areas."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A row belongs to an area; a viewer sees the rows of their areas and of all below them. `.` is followed by `/` in the
# C collation, so the codes below `32.06` are exactly those from `32.06.` up to `32.06/`. An empty setting shows nothing.
IN_VIEW = """EXISTS (
    SELECT 1 FROM unnest(string_to_array(nullif(current_setting('kawal.areas', true), ''), ',')) AS seen(code)
    WHERE seen.code = '*' OR {column} = seen.code
       OR ({column} >= seen.code || '.' COLLATE "C" AND {column} < seen.code || '/' COLLATE "C"))"""
IS_SYSTEM = "starts_with(coalesce(current_setting('kawal.actor', true), ''), 'system:')"
IS_KNOWN = "nullif(current_setting('kawal.actor', true), '') IS NOT NULL"
IS_SELF = "{column}::text = current_setting('kawal.actor', true)"

# What the API's role may do with each table of an area; the worker's role comes below.
APP_TABLES = {
    "updates": "SELECT, INSERT, UPDATE",
    "update_revisions": "SELECT, INSERT",
    "identity_results": "SELECT",
    "identity_digests": "SELECT, INSERT",
    "tasks": "SELECT, UPDATE",
    "task_grants": "SELECT",
    "decisions": "SELECT",
    "escalations": "SELECT",
    "clock_intervals": "SELECT",
    "ministry_answers": "SELECT, INSERT",
    "notifications": "SELECT",
    "households": "SELECT",
    "household_members": "SELECT",
    "household_versions": "SELECT",
}
WORKER_TABLES = {
    "updates": "SELECT, UPDATE",
    "update_revisions": "SELECT, INSERT",
    "identity_results": "SELECT, INSERT, UPDATE",
    "identity_digests": "SELECT, INSERT, DELETE",
    "tasks": "SELECT, INSERT, UPDATE",
    "task_grants": "SELECT, INSERT",
    "decisions": "SELECT, INSERT",
    "escalations": "SELECT, INSERT",
    "clock_intervals": "SELECT, INSERT, UPDATE",
    "ministry_answers": "SELECT",
    "notifications": "SELECT, INSERT",
    "households": "SELECT, INSERT, UPDATE",
    "household_members": "SELECT, INSERT, UPDATE",
    "household_versions": "SELECT, INSERT",
}
APPEND_ONLY = (
    "update_revisions",
    "decisions",
    "escalations",
    "ministry_answers",
    "household_versions",
    "policies",
    "calendars",
    "audit_events",
)

FUNCTIONS = (
    """
    CREATE FUNCTION kawal_credentials(wanted text)
    RETURNS TABLE (user_id uuid, password_hash text, disabled boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT id, password_hash, disabled FROM users WHERE username = wanted
    $$
    """,
    """
    CREATE FUNCTION kawal_seats(wanted uuid, at timestamptz)
    RETURNS TABLE (display_name text, role text, office_id uuid, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.display_name, m.role, m.office_id, m.area_code
        FROM users u LEFT JOIN memberships m
          ON m.user_id = u.id AND m.valid_from <= at AND (m.valid_to IS NULL OR m.valid_to > at)
        WHERE u.id = wanted AND NOT u.disabled
    $$
    """,
    """
    CREATE FUNCTION kawal_candidates(areas text[], roles text[], at timestamptz)
    RETURNS TABLE (user_id uuid, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT m.user_id, m.role FROM memberships m JOIN users u ON u.id = m.user_id AND NOT u.disabled
        WHERE m.role = ANY (roles) AND m.area_code = ANY (areas)
          AND m.valid_from <= at AND (m.valid_to IS NULL OR m.valid_to > at)
    $$
    """,
    """
    CREATE FUNCTION kawal_names(wanted uuid[])
    RETURNS TABLE (user_id uuid, display_name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT id, display_name FROM users WHERE id = ANY (wanted)
    $$
    """,
    """
    CREATE FUNCTION kawal_posts(areas text[], roles text[], moments timestamptz[])
    RETURNS TABLE (n bigint, office_id uuid, office_name text, tier text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT DISTINCT post.n, o.id, o.name, o.tier
        FROM unnest(areas, roles, moments) WITH ORDINALITY AS post(area_code, role, at, n)
        JOIN memberships m
          ON m.role = post.role AND m.valid_from <= post.at AND (m.valid_to IS NULL OR m.valid_to > post.at)
         AND m.area_code = ANY (ARRAY['*', left(post.area_code, 2), left(post.area_code, 5),
                                      left(post.area_code, 8), post.area_code])
        JOIN offices o ON o.id = m.office_id
    $$
    """,
    """
    CREATE FUNCTION kawal_track(code text)
    RETURNS TABLE (kind text, status text, stage text, area_code text, policy_version_id uuid, reason text,
                   submitted_at timestamptz, closed_at timestamptz, due_at timestamptz, level smallint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.kind, u.status, u.stage, u.area_code, u.policy_version_id, u.reason,
               u.submitted_at, u.closed_at, t.due_at, u.level
        FROM updates u LEFT JOIN tasks t ON t.update_id = u.id AND t.status = 'open'
        WHERE u.tracking_code = code
    $$
    """,
    """
    CREATE FUNCTION kawal_identity_known(wanted bytea[], of_household uuid, of_update uuid)
    RETURNS TABLE (digest bytea, purpose text, owner text, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT DISTINCT d.digest, d.purpose,
               CASE WHEN d.household_id IS NULL THEN 'update' ELSE 'household' END, d.area_code
        FROM identity_digests d
        WHERE d.digest = ANY (wanted)
          AND (of_household IS NULL OR d.household_id IS DISTINCT FROM of_household)
          AND (of_update IS NULL OR d.update_id IS DISTINCT FROM of_update)
    $$
    """,
)
FUNCTION_SIGNATURES = (
    "kawal_credentials(text)",
    "kawal_seats(uuid, timestamptz)",
    "kawal_candidates(text[], text[], timestamptz)",
    "kawal_names(uuid[])",
    "kawal_posts(text[], text[], timestamptz[])",
    "kawal_track(text)",
    "kawal_identity_known(bytea[], uuid, uuid)",
)


def _policy(table: str, role: str, command: str, condition: str) -> None:
    clause = {
        "SELECT": f"USING ({condition})",
        "INSERT": f"WITH CHECK ({condition})",
        "DELETE": f"USING ({condition})",
    }.get(command, f"USING ({condition}) WITH CHECK ({condition})")
    op.execute(f"CREATE POLICY {role}_{command.lower()} ON {table} FOR {command} TO {role} {clause}")


def _allow(table: str, role: str, commands: str, condition: str) -> None:
    op.execute(f"GRANT {commands} ON {table} TO {role}")
    for command in commands.split(", "):
        _policy(table, role, command, condition)


def _secure(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    _policy(table, "kawal_owner", "ALL", "true")


def _secure_area_tables() -> None:
    in_view = IN_VIEW.format(column="area_code")
    for table in sorted({*APP_TABLES, *WORKER_TABLES}):
        _secure(table)
    for table, commands in APP_TABLES.items():
        _allow(table, "kawal_app", commands, in_view)
    for table, commands in WORKER_TABLES.items():
        _allow(table, "kawal_worker", commands, IS_SYSTEM)
    op.execute(
        f"CREATE POLICY kawal_app_own ON notifications FOR SELECT TO kawal_app USING ({IS_SELF.format(column='to_user_id')})"
    )


def _secure_shared_tables() -> None:
    for table in ("users", "memberships"):
        _secure(table)
    for table in ("areas", "offices", "policies", "calendars"):
        _secure(table)
        for role in ("kawal_app", "kawal_worker"):
            _allow(table, role, "SELECT", "true" if table in {"areas", "offices"} else IS_KNOWN)
    _allow("policies", "kawal_app", "INSERT", IN_VIEW.format(column="area_code"))
    for table in ("audit_streams", "audit_events"):
        _secure(table)
        commands = "SELECT, INSERT" + (", UPDATE" if table == "audit_streams" else "")
        own = f"(area_code IS NULL AND {IS_KNOWN}) OR {IN_VIEW.format(column='area_code')}"
        _allow(table, "kawal_app", commands, own)
        _allow(table, "kawal_worker", commands, IS_SYSTEM)
    _secure("outbox")
    _allow("outbox", "kawal_app", "SELECT, INSERT, UPDATE", IS_KNOWN)
    _allow("outbox", "kawal_worker", "SELECT, INSERT, UPDATE", IS_SYSTEM)
    _secure("idempotency_keys")
    _allow("idempotency_keys", "kawal_app", "SELECT, INSERT, UPDATE", IS_SELF.format(column="actor_id"))
    _allow("idempotency_keys", "kawal_worker", "SELECT, UPDATE", IS_SYSTEM)


def _forbid_changes() -> None:
    op.execute(
        """
        CREATE FUNCTION kawal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
        )


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("GRANT USAGE ON SCHEMA public TO kawal_app, kawal_worker")
    op.execute("GRANT SELECT ON alembic_version TO kawal_app, kawal_worker")
    _secure_area_tables()
    _secure_shared_tables()
    for function in FUNCTIONS:
        op.execute(function)
    for signature in FUNCTION_SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO kawal_app, kawal_worker")
    _forbid_changes()


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
