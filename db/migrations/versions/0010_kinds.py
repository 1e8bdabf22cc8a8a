"""All fifteen kinds of update, the papers that they need, and households that were a double entry."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KINDS = (
    "add_member",
    "change_head",
    "circumstances",
    "death",
    "graduation",
    "identity_correction",
    "merge_duplicates",
    "move_in",
    "move_out",
    "new_household",
    "objection",
    "pbi_reactivation",
    "programme_proposal",
    "self_withdrawal",
    "split_household",
)
PAPERS = (
    "birth_certificate",
    "birth_statement",
    "correction_letter",
    "court_order",
    "death_certificate",
    "death_statement",
    "graduation_statement",
    "health_letter",
    "house_photo",
    "kk",
    "ktp",
    "marriage_certificate",
    "musdes_minutes",
    "relocation_letter",
    "sptjm",
    "withdrawal_statement",
)
STATUSES = ("active", "dissolved", "merged", "moved_out")


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _hold_to("updates", "kind", KINDS)
    _hold_to("households", "status", STATUSES)
    _hold_to("evidence", "type", PAPERS)
    _hold_to("evidence_uploads", "type", PAPERS)


def downgrade() -> None:
    raise RuntimeError("Cases of the new kinds cannot be expressed in the old ones; restore a backup instead.")


def _hold_to(table: str, column: str, words: tuple[str, ...]) -> None:
    """The new rule is added unproven and proven afterwards, so that writers wait for the moment of the first alone."""
    name = f"ck_{table}_{column}_known"
    listed = ", ".join(f"'{word}'" for word in words)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({listed})) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
