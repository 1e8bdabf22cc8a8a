"""People who stand in for others, accounts that are one person's, and the desk at which people are administered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_security import IN_VIEW, IS_SELF, allow, close_function, secure

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Accounts and appointments are seen by transactions that were opened to administer them, and by no other.
AT_DESK = "current_setting('kawal.desk', true) = 'people'"
IN_AREA = IN_VIEW.format(column="area_code")
MANAGED = f"{AT_DESK} AND {IN_AREA}"
ON_LEAVE = f"current_setting('kawal.desk', true) IN ('people', 'leaves') AND {IN_AREA}"

ACTIVE = "d.valid_from <= at AND d.valid_to > at AND (d.ended_at IS NULL OR d.ended_at > at)"
VALID = "m.valid_from <= at AND (m.valid_to IS NULL OR m.valid_to > at)"
# Whoever stands in for another holds a seat of their own: who has left altogether stands in for nobody.
SEATED = """(
                SELECT 1 FROM memberships own
                WHERE own.user_id = u.id AND own.valid_from <= at AND (own.valid_to IS NULL OR own.valid_to > at))"""

FUNCTIONS = {
    "kawal_seats(uuid, timestamptz, uuid)": f"""
    CREATE FUNCTION kawal_seats(wanted uuid, at timestamptz, in_session uuid DEFAULT NULL)
    RETURNS TABLE (display_name text, accounts uuid[], membership_id uuid, role text, office_id uuid,
                   area_code text, on_leave boolean, lent_by uuid, lender_accounts uuid[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.display_name, ARRAY(SELECT a.id FROM users a WHERE a.person_id = u.person_id), held.*
        FROM users u LEFT JOIN LATERAL (
            SELECT m.id, m.role, m.office_id, m.area_code,
                   EXISTS (SELECT 1 FROM delegations d WHERE d.membership_id = m.id AND {ACTIVE}) AS on_leave,
                   NULL::uuid AS lent_by, NULL::uuid[] AS lender_accounts
            FROM memberships m WHERE m.user_id = u.id AND {VALID}
            UNION ALL
            SELECT m.id, m.role, m.office_id, m.area_code, false, h.id,
                   ARRAY(SELECT a.id FROM users a WHERE a.person_id = h.person_id)
            FROM delegations d
            JOIN memberships m ON m.id = d.membership_id AND {VALID}
            JOIN users h ON h.id = m.user_id AND NOT h.disabled
            WHERE d.delegate_id = u.id AND {ACTIVE} AND EXISTS {SEATED}
        ) held ON true
        WHERE u.id = wanted AND NOT u.disabled
          AND (in_session IS NULL OR EXISTS (
              SELECT 1 FROM sessions s
              WHERE s.id = in_session AND s.user_id = u.id AND s.ended_at IS NULL AND s.expires_at > at))
    $$
    """,
    "kawal_candidates(text[], text[], timestamptz)": f"""
    CREATE FUNCTION kawal_candidates(areas text[], roles text[], at timestamptz)
    RETURNS TABLE (user_id uuid, role text, accounts uuid[], lent_by uuid, lender_accounts uuid[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.id, m.role, ARRAY(SELECT a.id FROM users a WHERE a.person_id = u.person_id),
               CASE WHEN d.id IS NOT NULL THEN h.id END,
               CASE WHEN d.id IS NOT NULL THEN ARRAY(SELECT a.id FROM users a WHERE a.person_id = h.person_id) END
        FROM memberships m
        JOIN users h ON h.id = m.user_id AND NOT h.disabled
        LEFT JOIN delegations d ON d.membership_id = m.id AND {ACTIVE}
        JOIN users u ON u.id = CASE WHEN d.id IS NULL THEN h.id ELSE d.delegate_id END AND NOT u.disabled
        WHERE m.role = ANY (roles) AND m.area_code = ANY (areas) AND {VALID} AND (d.id IS NULL OR EXISTS {SEATED})
    $$
    """,
    "kawal_reach(uuid, timestamptz)": """
    CREATE FUNCTION kawal_reach(wanted uuid, at timestamptz) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT area_code FROM memberships WHERE user_id = wanted AND (valid_to IS NULL OR valid_to > at)
        UNION
        SELECT area_code FROM users WHERE id = wanted
    $$
    """,
    "kawal_leaves(uuid[], timestamptz, timestamptz)": """
    CREATE FUNCTION kawal_leaves(people uuid[], since timestamptz, until timestamptz)
    RETURNS TABLE (membership_id uuid, holder_id uuid, delegate_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT d.membership_id, d.holder_id, d.delegate_id FROM delegations d
        WHERE (d.holder_id = ANY (people) OR d.delegate_id = ANY (people))
          AND d.valid_from < until AND least(d.valid_to, coalesce(d.ended_at, d.valid_to)) > since
          AND (d.ended_at IS NULL OR d.ended_at > d.valid_from)
    $$
    """,
    "kawal_colleagues(text, text, timestamptz)": f"""
    CREATE FUNCTION kawal_colleagues(of_area text, named text, at timestamptz)
    RETURNS TABLE (user_id uuid, display_name text, role text, area_code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT u.id, u.display_name, m.role, m.area_code
        FROM users u JOIN memberships m ON m.user_id = u.id AND {VALID}
        WHERE NOT u.disabled AND position(lower(named) IN lower(u.display_name)) > 0
          AND (left(m.area_code, 5) = left(of_area, 5) OR m.area_code IN ('*', left(of_area, 2)))
          AND m.role NOT IN ('administrator', 'data_protection_officer', 'evaluator', 'inspectorate', 'ministry_officer', 'planner',
                             'province_observer', 'regency_secretary', 'regent', 'service', 'village_council')
        ORDER BY u.display_name, u.id LIMIT 500
    $$
    """,
    "kawal_regroup(uuid, uuid)": """
    CREATE FUNCTION kawal_regroup(one uuid, other uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    DECLARE account uuid;
    BEGIN
        FOR account IN
            SELECT u.id FROM users u
            WHERE u.person_id IN (SELECT g.person_id FROM users g WHERE g.id IN (one, other)) ORDER BY u.id FOR UPDATE
        LOOP
            UPDATE users SET person_id = (
                WITH RECURSIVE same_person(id) AS (
                    SELECT account
                    UNION
                    SELECT CASE WHEN m.first_id = s.id THEN m.second_id ELSE m.first_id END
                    FROM same_person s JOIN account_matches m
                      ON s.id IN (m.first_id, m.second_id) AND m.verdict = 'same_person'
                ) SELECT id FROM same_person ORDER BY id LIMIT 1)
            WHERE id = account;
        END LOOP;
    END $$
    """,
    "kawal_accounts_like(bytea[], uuid)": """
    CREATE FUNCTION kawal_accounts_like(digests bytea[], besides uuid)
    RETURNS TABLE (user_id uuid, purpose text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT DISTINCT a.user_id, a.purpose FROM account_digests a
        WHERE a.digest = ANY (digests) AND a.user_id <> besides
    $$
    """,
}


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _add_columns()
    _add_tables()
    _secure()
    op.execute("DROP FUNCTION kawal_seats(uuid, timestamptz, uuid)")
    op.execute("DROP FUNCTION kawal_candidates(text[], text[], timestamptz)")
    for signature, body in FUNCTIONS.items():
        op.execute(body)
        close_function(signature)


def _add_columns() -> None:
    op.add_column("users", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.add_column("users", sa.Column("area_code", sa.Text(collation="C"), server_default="*", nullable=False))
    op.add_column("users", sa.Column("identity", sa.LargeBinary(), nullable=True))
    for table in ("users", "memberships", "offices"):
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("offices", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    # An account whose appointments all lie in one regency is administered there, any other by the nation.
    op.execute(
        """
        UPDATE users u SET person_id = u.id, area_code = coalesce((
            SELECT CASE WHEN count(DISTINCT m.area_code) = 1 THEN min(m.area_code)
                        WHEN count(DISTINCT left(m.area_code, 5)) = 1 THEN min(left(m.area_code, 5)) END
            FROM memberships m WHERE m.user_id = u.id), '*')
        """,
    )
    op.alter_column("users", "person_id", nullable=False)
    op.create_index(op.f("ix_users_person_id"), "users", ["person_id"])
    op.execute(
        """
        CREATE FUNCTION kawal_own_person() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            new.person_id := coalesce(new.person_id, new.id);
            RETURN new;
        END $$
        """,
    )
    op.execute(
        "CREATE TRIGGER users_own_person BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION kawal_own_person()",
    )
    for table in ("decisions", "update_revisions"):
        op.add_column(table, sa.Column("on_behalf_of", sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_on_behalf_of_users"), table, "users", ["on_behalf_of"], ["id"])
    op.drop_constraint(op.f("ck_outbox_topic_known"), "outbox")
    op.create_check_constraint(
        op.f("ck_outbox_topic_known"),
        "outbox",
        "topic IN ('authority_changed', 'signal_deadline_moved', 'signal_ministry_answer', 'start_update')",
    )


def _add_tables() -> None:
    op.create_table(
        "delegations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("delegate_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('annual_leave', 'official_travel', 'other_duty', 'sick_leave', 'training')",
            name=op.f("ck_delegations_reason_known"),
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_delegations_period_ends_after_it_begins")),
        sa.CheckConstraint("delegate_id <> holder_id", name=op.f("ck_delegations_nobody_stands_in_for_themselves")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_delegations_membership_id_memberships")
        ),
        *(
            sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_delegations_{column}_users"))
            for column in ("holder_id", "delegate_id", "created_by", "ended_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    for column in ("membership_id", "holder_id", "delegate_id"):
        op.create_index(op.f(f"ix_delegations_{column}"), "delegations", [column])
    op.create_index("ix_delegations_area_code_id", "delegations", ["area_code", "id"])
    op.create_table(
        "account_digests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("purpose IN ('email', 'nik')", name=op.f("ck_account_digests_purpose_known")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_account_digests_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_digests")),
        sa.UniqueConstraint("user_id", "purpose", "key_id", name=op.f("uq_account_digests_user_id_purpose_key_id")),
    )
    op.create_index(op.f("ix_account_digests_digest"), "account_digests", ["digest"])
    op.create_table(
        "account_matches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("same", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "verdict IN ('different_people', 'same_person')", name=op.f("ck_account_matches_verdict_known")
        ),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_account_matches_pair_in_one_order")),
        *(
            sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_account_matches_{column}_users"))
            for column in ("first_id", "second_id", "decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_matches")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_account_matches_first_id_second_id")),
    )
    op.create_index(op.f("ix_account_matches_second_id"), "account_matches", ["second_id"])


def _secure() -> None:
    for table in ("delegations", "account_digests", "account_matches"):
        secure(table)
    allow("memberships", "kawal_app", "SELECT", f"{IS_SELF.format(column='user_id')} OR ({ON_LEAVE})")
    allow("memberships", "kawal_app", "INSERT", MANAGED)
    allow("memberships", "kawal_app", "UPDATE", MANAGED)
    allow("offices", "kawal_app", "INSERT", MANAGED)
    allow("offices", "kawal_app", "UPDATE", MANAGED)
    _secure_users()
    mine = f"{IS_SELF.format(column='holder_id')} OR ({ON_LEAVE})"
    theirs = f"{IS_SELF.format(column='delegate_id')} OR {mine}"
    allow("delegations", "kawal_app", "SELECT", theirs)
    allow("delegations", "kawal_app", "INSERT", mine)
    op.execute("GRANT UPDATE (ended_at, ended_by) ON delegations TO kawal_app")
    op.execute(
        f"CREATE POLICY kawal_app_update ON delegations FOR UPDATE TO kawal_app USING ({theirs}) WITH CHECK ({theirs})"
    )
    allow("notifications", "kawal_app", "INSERT", MANAGED)
    # What follows is seen as far as one of its accounts is.
    of_account = f"{AT_DESK} AND EXISTS (SELECT 1 FROM users u WHERE u.id = user_id)"
    allow("account_digests", "kawal_app", "SELECT, INSERT, DELETE", of_account)
    of_either = f"{AT_DESK} AND EXISTS (SELECT 1 FROM users u WHERE u.id IN (first_id, second_id))"
    allow("account_matches", "kawal_app", "SELECT, INSERT, UPDATE", of_either)


def _secure_users() -> None:
    """The API never reads a password's hash as a row: `kawal_credentials` alone hands it out, at log-in."""
    seen = f"{AT_DESK} AND ({IN_AREA} OR EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id))"
    readable = "id, username, display_name, disabled, created_at, person_id, area_code, identity, version"
    op.execute(f"GRANT SELECT ({readable}), INSERT ON users TO kawal_app")
    op.execute(
        "GRANT UPDATE (display_name, password_hash, disabled, person_id, identity, version) ON users TO kawal_app"
    )
    op.execute(f"CREATE POLICY kawal_app_select ON users FOR SELECT TO kawal_app USING ({seen})")
    op.execute(f"CREATE POLICY kawal_app_insert ON users FOR INSERT TO kawal_app WITH CHECK ({MANAGED})")
    op.execute(
        f"CREATE POLICY kawal_app_update ON users FOR UPDATE TO kawal_app USING ({MANAGED}) WITH CHECK ({MANAGED})"
    )


def downgrade() -> None:
    raise RuntimeError("Authority is not taken away again; restore a backup instead.")
