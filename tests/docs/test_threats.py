"""The threat model rests on tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (TREE / "docs/threats.md").read_text()))
    defined = {
        name
        for file in TREE.glob("tests/**/test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text(), flags=re.MULTILINE)
    }
    assert named
    assert named - defined == set()


def test_every_row_of_the_threat_model_names_a_test() -> None:
    rows = (TREE / "docs/threats.md").read_text().splitlines()
    cells = [row.split("|")[4] for row in rows if row.startswith("| ") and not row.startswith(("| ---", "| boundary"))]
    assert len(cells) > len("STRIDE")
    assert [cell for cell in cells if "`test_" not in cell] == []
