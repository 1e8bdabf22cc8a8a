"""A Kawal as `make up` starts it, from nothing, for all that README.md promises."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devstack.environment import StackSettings
from devstack.ports import any_free_port
from runtime.settings import ENV_PREFIX
from tests.devstack.conftest import remove
from tests.devstack.waiting import until
from tests.readme.tour import TREE


@pytest.fixture(scope="session")
async def newcomer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """The environment of a newcomer's second shell, while `make up` runs in the first."""
    folder = tmp_path_factory.mktemp("newcomer")
    ports = {f"{ENV_PREFIX}{name.upper()}" for name in StackSettings.model_fields if name.endswith("_port")}
    shell = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    shell[f"{ENV_PREFIX}DATA_DIR"] = str(folder / "kawal")
    first_shell = {**shell, **{name: str(any_free_port()) for name in ports}}
    with (folder / "said").open("wb") as said:
        up = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "devstack.up"), cwd=TREE, env=first_shell, stdout=said, stderr=said
        )
    try:
        await until(lambda: up.returncode is not None or _is_up(folder / "said"), within=180)
        assert up.returncode is None, (folder / "said").read_text()
        yield shell
        up.terminate()
        assert await asyncio.wait_for(up.wait(), timeout=60) == 0, (folder / "said").read_text()
    finally:
        if up.returncode is None:
            up.terminate()
            await up.wait()
        remove(folder / "kawal")


def _is_up(said: Path) -> bool:
    return "Kawal is up" in said.read_text()
