"""Every call of the API that changes something has its event, and a test in which it is seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.access import declared_access
from tests.api.conftest import Office
from tests.witnesses import CHANGING, TELLS, TELLS_NOTHING, Asked, Event, unlike_what_is_declared

pytestmark = pytest.mark.embedded

TREE = Path(__file__).resolve().parents[2]
CLAIM = "POST /v1/tasks/{task_id}/claim"


async def test_every_call_that_changes_something_says_by_which_event_it_is_told(office: Office) -> None:
    changing = {call for call in declared_access(office.app.routes) if call.partition(" ")[0] in CHANGING}
    assert changing == TELLS.keys() | TELLS_NOTHING.keys()
    assert not TELLS.keys() & TELLS_NOTHING.keys()


def test_every_call_is_seen_in_a_test_that_is_there() -> None:
    files = [file for folder in ("api", "oidc", "privacy") for file in TREE.glob(f"tests/{folder}/**/test_*.py")]
    defined = {name for file in files for name in re.findall(r"^async def (test_\w+)", file.read_text(), re.MULTILINE)}
    assert {witness.test for witness in TELLS.values()} - defined == set()


def test_a_call_told_by_another_event_or_in_another_name_shows() -> None:
    asked = Asked(CLAIM, "r", 200, "who asked")
    assert (
        unlike_what_is_declared("any", [(asked, [Event("task.claimed", "who asked", "regency_verifier", "r")])]) == []
    )
    for event in (Event("task.released", "who asked", None, "r"), Event("task.claimed", "somebody else", None, "r")):
        (wrong,) = unlike_what_is_declared("any", [(asked, [event])])
        assert wrong.startswith(CLAIM)


def test_a_call_that_its_test_does_not_see_with_an_event_shows() -> None:
    (wrong,) = unlike_what_is_declared(TELLS[CLAIM].test, [(Asked(CLAIM, "r", 200, None), [])])[:1]
    assert "was not seen with its event" in wrong
