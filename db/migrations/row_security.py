"""What revisions after 0002 put a new table under: forced row security by role, append-only triggers, closed functions.

The conditions are those of `0002_authority.py`, which is frozen.
"""

from __future__ import annotations

from typing import Final

from alembic import op

IN_VIEW: Final = """EXISTS (
    SELECT 1 FROM unnest(string_to_array(nullif(current_setting('kawal.areas', true), ''), ',')) AS seen(code)
    WHERE seen.code = '*' OR {column} = seen.code
       OR ({column} >= seen.code || '.' COLLATE "C" AND {column} < seen.code || '/' COLLATE "C"))"""
"""The row's area is one of the viewer's or below one; format it with the `column`."""
CONCERNS: Final = """EXISTS (
    SELECT 1 FROM unnest(string_to_array(nullif(current_setting('kawal.areas', true), ''), ',')) AS seen(code)
    WHERE {column} = '*' OR starts_with(seen.code, {column} || '.'))"""
"""One of the viewer's areas lies below the row's: what holds there concerns them; format it with the `column`."""
IS_SYSTEM: Final = "starts_with(coalesce(current_setting('kawal.actor', true), ''), 'system:')"
"""A part of Kawal acts."""
IS_KNOWN: Final = "nullif(current_setting('kawal.actor', true), '') IS NOT NULL"
"""The transaction was told who acts, be it nobody who is known."""
IS_SELF: Final = "{column}::text = current_setting('kawal.actor', true)"
"""The row is the actor's own; format it with the `column`."""


def secure(table: str) -> None:
    """Force row security on a table, its owner alone let through."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY kawal_owner_all ON {table} FOR ALL TO kawal_owner USING (true) WITH CHECK (true)")


def allow(table: str, role: str, commands: str, condition: str) -> None:
    """Grant `commands` (`SELECT, INSERT`) on a table to `role`, for the rows for which `condition` holds."""
    op.execute(f"GRANT {commands} ON {table} TO {role}")
    clauses = {
        "SELECT": f"USING ({condition})",
        "INSERT": f"WITH CHECK ({condition})",
        "DELETE": f"USING ({condition})",
        "UPDATE": f"USING ({condition}) WITH CHECK ({condition})",
    }
    for command in commands.split(", "):
        op.execute(f"CREATE POLICY {role}_{command.lower()} ON {table} FOR {command} TO {role} {clauses[command]}")


def forbid_changes(table: str) -> None:
    """Make a table append-only, for its owner too."""
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION kawal_refuse_change()",
    )


def close_function(signature: str, *, to: str = "kawal_app, kawal_worker") -> None:
    """Let nobody but `to` execute a SECURITY DEFINER function."""
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {to}")
