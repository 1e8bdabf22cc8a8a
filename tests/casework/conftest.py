"""A stage for each test; whatever was played on it, every case has to be sound in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.casework.play import Play
from tests.scene import Scene
from tests.soundness import assert_sound


@pytest.fixture
async def play(scene: Scene) -> AsyncIterator[Play]:
    """Casework on a database of the test's own."""
    yield Play(scene)
    await assert_sound(scene)
