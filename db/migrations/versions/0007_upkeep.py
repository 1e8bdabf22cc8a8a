"""What may be done to append-only rows after all: put an envelope under another key, and erase what has had its time.

Neither changes what a row tells. Both need the owner of the tables, who says in the transaction which of the two it is
(`kawal.upkeep`); the accounts of API and worker have no right to update these tables in any case.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Table: its sealed columns, and the columns that erasing empties.
UPKEPT = {
    "household_versions": (("content",), ()),
    "update_revisions": (("change",), ("change", "evidence", "erased_at")),
    "decisions": (("note",), ("note",)),
    "ministry_answers": (("note",), ("note",)),
    "read_log": (("explanation",), ()),
}


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("ALTER TABLE update_revisions ADD COLUMN erased_at timestamptz")
    op.execute(
        """
        CREATE FUNCTION kawal_key_id(envelope bytea) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog AS $$
            SELECT convert_from(substring(envelope FROM 3 FOR get_byte(envelope, 1)), 'UTF8')
        $$
        """,
    )
    op.execute(
        """
        CREATE FUNCTION kawal_refuse_update() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        DECLARE
            upkeep text := coalesce(current_setting('kawal.upkeep', true), '');
            sealed text[] := string_to_array(TG_ARGV[0], ',');
            erasable text[] := string_to_array(TG_ARGV[1], ',');
            was jsonb := to_jsonb(OLD);
            becomes jsonb := to_jsonb(NEW);
            name text;
            old_envelope bytea;
            new_envelope bytea;
        BEGIN
            IF upkeep = 'erase' AND was - erasable = becomes - erasable THEN
                RETURN NEW;
            END IF;
            IF upkeep = 'reseal' AND was - sealed = becomes - sealed THEN
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
        """,
    )
    for table, (sealed, erasable) in UPKEPT.items():
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
        )
        op.execute(
            f"CREATE TRIGGER {table}_upkeep_only BEFORE UPDATE ON {table} FOR EACH ROW "
            f"EXECUTE FUNCTION kawal_refuse_update('{','.join(sealed)}', '{','.join(erasable)}')",
        )


def downgrade() -> None:
    raise RuntimeError("Erased content does not come back; restore a backup instead.")
