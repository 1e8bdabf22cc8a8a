"""From where acts came is kept for a period of the policy, and no longer."""

from __future__ import annotations

from alembic import op

from db.migrations.row_security import close_function

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

# The function as it stands, with one more proposal to fall back on.
PERIOD = """
    DO $do$ BEGIN
        EXECUTE replace(pg_get_functiondef('kawal_period(text, text)'::regprocedure),
            $$WHEN 'person_exports'$$, $$WHEN 'origins' THEN interval '365 days' WHEN 'person_exports'$$);
    END $do$
"""
# Those of a case under a hold stay; where an act was in no area, the period of the nation holds.
DUE = f"""
    CREATE FUNCTION kawal_due_origins() RETURNS TABLE (stream text, commitment bytea, held boolean)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT o.stream, o.commitment, EXISTS (
            SELECT 1 FROM legal_holds h LEFT JOIN update_evidence b ON b.update_id = h.update_id
            WHERE h.lifted_at IS NULL AND o.stream IN ('update:' || h.update_id, 'evidence:' || b.evidence_id))
        FROM audit_origins o JOIN (
            SELECT p.area, kawal_period(p.area, 'origins') AS period
            FROM (SELECT DISTINCT coalesce(area_code, '*') AS area FROM audit_origins) AS p
        ) AS kept ON kept.area = coalesce(o.area_code, '*')
        WHERE o.at < clock_timestamp() - kept.period
    $$
"""
ERASE = f"""
    CREATE FUNCTION kawal_erase_origins(at_most int) RETURNS int
    LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        erased int;
    BEGIN
        DELETE FROM audit_origins o USING (
            SELECT d.stream, d.commitment FROM kawal_due_origins() d WHERE NOT d.held LIMIT at_most) AS due
        WHERE (o.stream, o.commitment) = (due.stream, due.commitment);
        GET DIAGNOSTICS erased = ROW_COUNT;
        RETURN erased;
    END $$
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute(PERIOD)
    op.execute(DUE)
    close_function("kawal_due_origins()", to="kawal_worker")
    op.execute(ERASE)
    close_function("kawal_erase_origins(int)", to="kawal_worker")


def downgrade() -> None:
    raise RuntimeError("What was erased does not come back; restore a backup instead.")
