"""`kawal retention`: what would go, and that it goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.settings import get_settings
from tests.casework.play import Play
from tests.cli.conftest import Kawal
from tests.privacy.test_retention import old_case
from tests.scene import Scene

pytestmark = pytest.mark.usefixtures("settings")


async def test_a_plan_counts_and_a_run_erases(
    kawal: Kawal,
    scene: Scene,
    bare_settings: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAWAL_DATABASE_MIGRATOR_URL", scene.urls.migrator)
    monkeypatch.setenv("KAWAL_EVIDENCE_STORE", str(bare_settings / "files"))
    get_settings.cache_clear()
    old = await old_case(Play(scene))
    plan = await kawal("retention", "plan", "--json")
    assert json.loads(plan.stdout)["contents"] == {"due": 1, "held": 0}
    kept = await scene.one("SELECT change FROM update_revisions WHERE update_id = :id", id=old)
    assert kept.change is not None, "a plan changes nothing"
    first, second = [json.loads((await kawal("retention", "run", "--json")).stdout) for _ in range(2)]
    assert (first["contents"], second["contents"]) == (1, 0)
    assert "contents" in (await kawal("retention", "plan")).stdout
    for command in ("replay", "verify"):
        assert (await kawal("audit", command)).exit_code == 0
