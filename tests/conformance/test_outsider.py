"""What an outsider finds who has the document and a generator of requests.

Few examples of what is public here; `make conformance` asks hundreds of every call, and follows the links as well.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from api.app import token_issuer
from tests.api.conftest import settings_for, values_for
from tests.conformance.outsider import look
from tests.conformance.wire import Wire, on_the_wire
from tests.scene import Scene, session_of, user

pytestmark = pytest.mark.embedded

EXAMPLES: Final = int(os.environ.get("KAWAL_CONFORMANCE_EXAMPLES", "1"))
WHOLE: Final = "KAWAL_CONFORMANCE_EXAMPLES" in os.environ
PHASES: Final = os.environ.get("KAWAL_CONFORMANCE_PHASES", "fuzzing").split(",")


@pytest.fixture
async def wire(scene: Scene, tmp_path: Path) -> AsyncIterator[Wire]:
    rates = dict.fromkeys(("rate_address", "rate_account", "rate_public", "rate_auth", "rate_machine"), "off")
    async with on_the_wire(values_for(scene) | rates | {"evidence_store": str(tmp_path / "files")}) as wire:
        yield wire


PUBLIC: Final = ("account", "public", "operations", "partners")
"""What anybody reaches: the suite asks this, by nobody; `make conformance` asks everything, in five accounts."""
ACCOUNTS: Final = (None, "operator.taraju", "verifikator", "kadis", "admin") if WHOLE else (None,)


@pytest.mark.parametrize("username", ACCOUNTS)
async def test_an_outsider_finds_nothing(wire: Wire, scene: Scene, username: str | None) -> None:
    token = None
    if username is not None:
        issuer = token_issuer(settings_for(scene))
        token = issuer.issue(user(username), now=datetime.now(UTC), session_id=session_of(user(username)))
    tags = () if WHOLE else PUBLIC
    finding = await look(wire, token=token, examples=EXAMPLES, phases=PHASES, tags=tags)
    assert finding.passed, finding.told
