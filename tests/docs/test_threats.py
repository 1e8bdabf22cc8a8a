"""The threat model says all six letters of every boundary, and rests on tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

TREE = Path(__file__).resolve().parents[2]
STRIDE: Final = ["S", "T", "R", "I", "D", "E"]
BOUNDARIES: Final = {
    "Citizen, public → API",
    "Officer's browser → API",
    "Village's weak line, uploads → API",
    "Machine client → API",
    "Foreign issuer → API",
    "API, worker → PostgreSQL",
    "API, worker → Temporal, and its pages",
    "Worker → partners, and the signed callback",
    "Operator with the command and the host",
    "Backups and exports",
}


def text() -> str:
    return (TREE / "docs/threats.md").read_text()


def tables() -> dict[str, list[list[str]]]:
    """The rows of each boundary: letter, what is done, which test shows it, what is left."""
    found: dict[str, list[list[str]]] = {}
    for section in text().split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line[:1] == "|"]
        if rows:
            found[title] = rows[2:]
    return found


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", text()))
    defined = {
        name
        for file in TREE.glob("tests/**/test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text(), flags=re.MULTILINE)
    }
    assert named
    assert named - defined == set()


def test_every_boundary_has_a_row_for_each_of_the_six_letters() -> None:
    assert set(tables()) == BOUNDARIES
    assert {title: [row[0] for row in rows] for title, rows in tables().items()} == dict.fromkeys(BOUNDARIES, STRIDE)


def test_every_row_says_what_is_done_by_which_test_and_what_is_left() -> None:
    for title, rows in tables().items():
        for letter, done, shown_by, left in rows:
            assert done, (title, letter)
            assert re.fullmatch(r"(`test_\w+`(, )?)+", shown_by), (title, letter)
            assert left, (title, letter)
