"""References and notes of papers are sealed: the number of an identity card is a NIK.

A migration has no keys: what stands here in the clear is sealed by `kawal keys reseal`, and read from either place.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Once, in the clear text's place: an envelope of exactly its length, which without the key is all that can be checked
# (version and length of the key id, 2 bytes; nonce, 12; tag, 16; and the key id).
IS_SEALED_AT_LAST = """
    CREATE FUNCTION kawal_papers_are_sealed(was jsonb, becomes jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        papers bytea := (becomes ->> 'papers')::bytea;
    BEGIN
        IF current_user <> 'kawal_owner' OR current_setting('kawal.upkeep', true) IS DISTINCT FROM 'reseal'
           OR was - '{papers,evidence}'::text[] <> becomes - '{papers,evidence}'::text[]
           OR was -> 'papers' <> 'null' OR becomes -> 'evidence' <> 'null'
           OR was -> 'evidence' = 'null' OR coalesce(length(papers), 0) < 2 THEN
            RETURN false;
        END IF;
        RETURN length(papers) - get_byte(papers, 1) - 30 = octet_length((was -> 'evidence')::text);
    END $$
"""
REFUSE = """
    CREATE FUNCTION kawal_refuse_revision() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF kawal_is_blanked(TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW))
           OR kawal_is_resealed(to_jsonb(OLD), to_jsonb(NEW), '{change,papers}')
           OR kawal_papers_are_sealed(to_jsonb(OLD), to_jsonb(NEW)) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
# As before, and the sealed papers too.
IS_BLANKED = """
    CREATE OR REPLACE FUNCTION kawal_is_blanked(of_table text, was jsonb, becomes jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        blank jsonb := CASE of_table
            WHEN 'update_revisions' THEN '{"change": null, "papers": null, "evidence": []}'
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
ERASE_CONTENTS = """
    CREATE OR REPLACE FUNCTION kawal_erase_contents(at_most int) RETURNS TABLE (id uuid, area_code text, items int)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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
            UPDATE update_revisions SET change = NULL, papers = NULL, evidence = '[]', erased_at = clock_timestamp()
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


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("update_revisions", sa.Column("papers", sa.LargeBinary(), nullable=True))
    op.alter_column("update_revisions", "evidence", nullable=True)
    op.create_check_constraint(
        op.f("ck_update_revisions_papers_once"), "update_revisions", "num_nonnulls(evidence, papers) = 1"
    )
    for function in (IS_SEALED_AT_LAST, IS_BLANKED, ERASE_CONTENTS):
        op.execute(function)
    op.execute(REFUSE)
    op.execute("DROP TRIGGER update_revisions_upkeep_only ON update_revisions")
    op.execute(
        "CREATE TRIGGER update_revisions_upkeep_only BEFORE UPDATE ON update_revisions FOR EACH ROW "
        "EXECUTE FUNCTION kawal_refuse_revision()",
    )


def downgrade() -> None:
    raise RuntimeError("What was sealed is not put into the clear again; restore a backup instead.")
